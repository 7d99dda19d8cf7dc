import { isUtf8 } from 'node:buffer';
import { SIGNALS } from '../../semconv.ts';
import type { Signal } from '../../semconv.ts';
import { isJsonObject, LEVELS, METRIC_TYPES, POINTS } from '../shape.ts';
import type { JsonObject } from '../shape.ts';

/** A line of a journal that was parsed: the request and its signal, or why it is no request. */
export type ParsedLine =
  | { readonly signal: Signal; readonly body: JsonObject }
  | { readonly signal?: undefined; readonly problem: string };

/** One span, log record or metric point, with its resource and scope. */
export interface OtlpItem {
  readonly signal: Signal;
  readonly resource: JsonObject;
  readonly scope: JsonObject;
  /** The span, the log record, or the metric that the point belongs to. */
  readonly entry: JsonObject;
  /** The data point, for metrics only. */
  readonly point: JsonObject | undefined;
}

/** The objects in a list. Elements that are no objects are left out; a value that is no list has none. */
export function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** The signal of a request, by its first key; `undefined` if that is none of OTLP's. */
export function signalOf(body: JsonObject): Signal | undefined {
  const [key] = Object.keys(body);
  return SIGNALS.find((signal) => LEVELS[signal].resources === key);
}

/**
 * Parses one line, and never throws.
 * @param exact keeps integers beyond 2^53, for a line that will be written again. It is several times slower.
 */
export function parseLine(bytes: Uint8Array, exact = false): ParsedLine {
  if (!isUtf8(bytes)) return { problem: 'it is not UTF-8' };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let body: unknown;
  try {
    body = exact ? JSON.parse(text, keepInteger) : JSON.parse(text);
  } catch {
    return { problem: text.trim() === '' ? 'it is empty' : 'it is not JSON' };
  }
  if (!isJsonObject(body)) return { problem: 'it is not a JSON object' };
  const signal = signalOf(body);
  if (signal !== undefined) return { signal, body };
  const expected = SIGNALS.map((each) => LEVELS[each].resources).join(', ');
  return { problem: `it is no OTLP request: expected one of ${expected} as its first key` };
}

// In ES2026 and Node 22; TypeScript's library does not have it yet.
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

function keepInteger(
  this: unknown,
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  const isRounded = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isRounded && context?.source !== undefined ? rawJSON(context.source) : value;
}

/** The points of a metric, of whatever type. */
export function pointsOf(metric: JsonObject): readonly JsonObject[] {
  return METRIC_TYPES.flatMap((type) => {
    const data = metric[type];
    return isJsonObject(data) ? objectsIn(data[POINTS]) : [];
  });
}

/** Yields every span, log record or point of a request, in the order of the request. */
export function* itemsOf(signal: Signal, body: JsonObject): Generator<OtlpItem> {
  const { resources, scopes, items } = LEVELS[signal];
  for (const outer of objectsIn(body[resources])) {
    const resource = isJsonObject(outer['resource']) ? outer['resource'] : {};
    for (const inner of objectsIn(outer[scopes])) {
      const scope = isJsonObject(inner['scope']) ? inner['scope'] : {};
      for (const entry of objectsIn(inner[items])) {
        if (signal !== 'metrics') yield { signal, resource, scope, entry, point: undefined };
        else for (const point of pointsOf(entry)) yield { signal, resource, scope, entry, point };
      }
    }
  }
}

/** The number of spans, log records or points of a request. */
export function countOf(signal: Signal, body: JsonObject): number {
  let count = 0;
  for (const _item of itemsOf(signal, body)) count += 1;
  return count;
}

/**
 * Leaves out the items that `keep` refuses, and the scopes and resources that are empty then.
 * @returns `undefined` if no item is left
 */
export function withItems(
  signal: Signal,
  body: JsonObject,
  keep: (item: JsonObject) => boolean,
): JsonObject | undefined {
  const { resources, scopes, items } = LEVELS[signal];
  const keepEntry = (entry: JsonObject): readonly JsonObject[] => {
    if (signal === 'metrics') return keepPoints(entry, keep);
    return keep(entry) ? [entry] : [];
  };
  const kept = objectsIn(body[resources]).flatMap((outer) => {
    const inside = objectsIn(outer[scopes]).flatMap((inner) => {
      const entries = objectsIn(inner[items]).flatMap(keepEntry);
      return entries.length === 0 ? [] : [{ ...inner, [items]: entries }];
    });
    return inside.length === 0 ? [] : [{ ...outer, [scopes]: inside }];
  });
  return kept.length === 0 ? undefined : { ...body, [resources]: kept };
}

function keepPoints(metric: JsonObject, keep: (point: JsonObject) => boolean): readonly JsonObject[] {
  const type = METRIC_TYPES.find((each) => isJsonObject(metric[each]));
  if (type === undefined) return [];
  const data = metric[type] as JsonObject;
  const points = objectsIn(data[POINTS]).filter(keep);
  return points.length === 0 ? [] : [{ ...metric, [type]: { ...data, [POINTS]: points } }];
}

const NANOSECONDS_PER_MS = 1_000_000n;

/** Parses a 64-bit field. OTLP JSON writes a string; some writers write a number. @returns `undefined` for anything else */
export function readInt64(value: unknown): bigint | undefined {
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : undefined;
}

/**
 * When an item came to be, in milliseconds since 1970: the end of a span, the time of a point, the time or the observation of a log record.
 * @returns `undefined` if the item has none of these times
 */
export function timeOf(item: JsonObject): number | undefined {
  for (const key of ['endTimeUnixNano', 'timeUnixNano', 'observedTimeUnixNano']) {
    const time = readInt64(item[key]);
    if (time !== undefined && time > 0n) return Number(time / NANOSECONDS_PER_MS);
  }
  return undefined;
}

/** The value of an attribute, whichever field of the `AnyValue` holds it. */
export function attributeOf(holder: JsonObject, key: string): unknown {
  const found = objectsIn(holder['attributes']).find((attribute) => attribute['key'] === key);
  return isJsonObject(found?.['value']) ? Object.values(found['value'])[0] : undefined;
}
