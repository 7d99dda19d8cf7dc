import type { Signal } from '../semconv.ts';

/** A JSON object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The keys of OTLP's lists for one signal, from the request down to its items. */
export interface Levels {
  readonly resources: string;
  readonly scopes: string;
  /** Spans, metrics or log records. */
  readonly items: string;
}

/** The keys of OTLP's lists. A request of a signal has its three and no others. */
export const LEVELS: Readonly<Record<Signal, Levels>> = {
  traces: { resources: 'resourceSpans', scopes: 'scopeSpans', items: 'spans' },
  metrics: { resources: 'resourceMetrics', scopes: 'scopeMetrics', items: 'metrics' },
  logs: { resources: 'resourceLogs', scopes: 'scopeLogs', items: 'logRecords' },
};

/** The kinds of data that a metric can have. A metric has exactly one of these keys, and its points lie below it in {@link POINTS}. */
export const METRIC_TYPES = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;

/** The key of the points of a metric. */
export const POINTS = 'dataPoints';

/** Fields with nanoseconds since 1970 that every item has exactly once, as Keelson writes it. */
export interface TimeFields {
  /** No other object of the request has this field, so that counting it counts the items. */
  readonly counted: string;
  /** When the item came to be: the end of a span, the time of a point, the observation of a log record. */
  readonly time: string;
}

/** The fields with times of each signal's items: spans, points of metrics, log records. */
export const TIME_FIELDS: Readonly<Record<Signal, TimeFields>> = {
  traces: { counted: 'startTimeUnixNano', time: 'endTimeUnixNano' },
  metrics: { counted: 'startTimeUnixNano', time: 'timeUnixNano' },
  logs: { counted: 'observedTimeUnixNano', time: 'observedTimeUnixNano' },
};

/** @returns whether a value is a JSON object, and no array */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A request with one resource and one scope.
 * @param items spans, metrics or log records as OTLP JSON
 */
export function requestOf(
  signal: Signal,
  resource: JsonObject,
  scope: JsonObject,
  items: readonly JsonObject[],
): JsonObject {
  const levels = LEVELS[signal];
  return { [levels.resources]: [{ resource, [levels.scopes]: [{ scope, [levels.items]: items }] }] };
}
