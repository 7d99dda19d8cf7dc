import type { Signal } from '../semconv.ts';
import { isJsonObject, LEVELS, METRIC_TYPES, POINTS } from './shape.ts';
import type { JsonObject } from './shape.ts';

/** Half of a batch. */
export interface RequestPart {
  readonly body: Uint8Array;
  readonly items: number;
}

/** The keys of the lists from the request down to the items. */
function pathOf(signal: Signal): readonly string[] {
  const { resources, scopes, items } = LEVELS[signal];
  return signal === 'metrics' ? [resources, scopes, items, POINTS] : [resources, scopes, items];
}

/**
 * Splits an OTLP JSON request into two halves of equal numbers of items (spans, metric points or log records). Each half keeps the resources
 * and scopes of its items.
 * @returns `undefined` if the request has fewer than two items, or is no JSON object
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
  if (!isJsonObject(request)) return undefined;
  const path = pathOf(signal);
  const items = count(request, path);
  if (items < 2) return undefined;
  const middle = Math.ceil(items / 2);
  const part = (from: number, to: number): RequestPart => ({
    body: Buffer.from(JSON.stringify(cut(request, path, { from, to, at: 0 }) ?? {})),
    items: to - from,
  });
  return [part(0, middle), part(middle, items)];
}

/** The list of the next level, and the type of the metric that holds it. All lists but those of points lie in the node itself. */
function holderOf(
  node: JsonObject,
  key: string,
): { readonly kind: string | undefined; readonly list: readonly unknown[] } {
  const kind = key === POINTS ? METRIC_TYPES.find((each) => isJsonObject(node[each])) : undefined;
  const holder = kind === undefined ? node : node[kind];
  const list = isJsonObject(holder) ? holder[key] : undefined;
  return { kind, list: Array.isArray(list) ? list : [] };
}

function count(node: JsonObject, [key, ...rest]: readonly string[]): number {
  if (key === undefined) return 1;
  return holderOf(node, key).list.reduce<number>(
    (sum, child) => sum + (isJsonObject(child) ? count(child, rest) : 0),
    0,
  );
}

/** The node with the items of a window only; `undefined` if it has none of them. */
function cut(
  node: JsonObject,
  [key, ...rest]: readonly string[],
  window: { readonly from: number; readonly to: number; at: number },
): JsonObject | undefined {
  if (key === undefined) {
    const at = window.at++;
    return at >= window.from && at < window.to ? node : undefined;
  }
  const { kind, list } = holderOf(node, key);
  const kept = list.flatMap((child) => (isJsonObject(child) ? (cut(child, rest, window) ?? []) : []));
  if (kept.length === 0) return undefined;
  if (kind === undefined) return { ...node, [key]: kept };
  return { ...node, [kind]: { ...(node[kind] as JsonObject), [key]: kept } };
}
