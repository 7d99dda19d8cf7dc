import type { Signal } from '../semconv.ts';

/** Half of a batch. */
export interface RequestPart {
  readonly body: Uint8Array;
  readonly items: number;
}

/** The lists from the request down to the items. */
const PATHS: Readonly<Record<Signal, readonly string[]>> = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics', 'dataPoints'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
};
const METRIC_KINDS = ['sum', 'gauge', 'histogram', 'exponentialHistogram', 'summary'] as const;

interface Node {
  readonly [key: string]: unknown;
}

/**
 * Splits an OTLP JSON request into two halves by its items: spans, metric points or log records. Resources and scopes stay around them.
 * @returns `undefined` where there are not two items
 */
export function splitRequest(
  signal: Signal,
  body: Uint8Array,
): readonly [RequestPart, RequestPart] | undefined {
  let request: unknown;
  try {
    request = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isNode(request)) return undefined;
  const items = count(request, PATHS[signal]);
  if (items < 2) return undefined;
  const middle = Math.ceil(items / 2);
  const part = (from: number, to: number): RequestPart => ({
    body: Buffer.from(JSON.stringify(cut(request, PATHS[signal], { from, to, at: 0 }) ?? {})),
    items: to - from,
  });
  return [part(0, middle), part(middle, items)];
}

/** Where the list of the next level lies: in the node itself, or in the data of a metric. */
function holderOf(
  node: Node,
  key: string,
): { readonly kind: string | undefined; readonly list: readonly unknown[] } {
  const kind = key === 'dataPoints' ? METRIC_KINDS.find((each) => isNode(node[each])) : undefined;
  const holder = kind === undefined ? node : node[kind];
  const list = isNode(holder) ? holder[key] : undefined;
  return { kind, list: Array.isArray(list) ? list : [] };
}

function count(node: Node, [key, ...rest]: readonly string[]): number {
  if (key === undefined) return 1;
  return holderOf(node, key).list.reduce<number>(
    (sum, child) => sum + (isNode(child) ? count(child, rest) : 0),
    0,
  );
}

/** The node with the items of a window only; `undefined` where it has none of them. */
function cut(
  node: Node,
  [key, ...rest]: readonly string[],
  window: { readonly from: number; readonly to: number; at: number },
): Node | undefined {
  if (key === undefined) {
    const at = window.at++;
    return at >= window.from && at < window.to ? node : undefined;
  }
  const { kind, list } = holderOf(node, key);
  const kept = list.flatMap((child) => (isNode(child) ? (cut(child, rest, window) ?? []) : []));
  if (kept.length === 0) return undefined;
  if (kind === undefined) return { ...node, [key]: kept };
  return { ...node, [kind]: { ...(node[kind] as Node), [key]: kept } };
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
