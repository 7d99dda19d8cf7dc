import { ValueType } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType } from '@opentelemetry/sdk-metrics';
import type {
  DataPoint,
  ExponentialHistogram,
  Histogram,
  MetricData,
  ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { Warn } from '../../warnings/warner.ts';
import { LEVELS } from '../shape.ts';
import { withoutEmptyKeys } from './empty-keys.ts';
import { withoutEndedSeries } from './ended-series.ts';
import type { Exemplar, ExemplarStore } from './exemplar-store.ts';
import { warnOfOverflow } from './metric-overflow.ts';
import { jsonResource, jsonScope, writableItems } from './spans-and-logs.ts';
import { isInt64, jsonAttributes, jsonDouble, jsonInt, jsonTime } from './values.ts';

const TEMPORALITY: Readonly<Record<AggregationTemporality, number>> = {
  [AggregationTemporality.DELTA]: 1,
  [AggregationTemporality.CUMULATIVE]: 2,
};

/** The exemplars of a series, by ascending value: what Prometheus expects. */
type Exemplars = (instrument: string, attributes: Attributes) => readonly Exemplar[];

const NANOSECONDS_PER_MICROSECOND = 1_000n;

const optionalDouble = (value: number | undefined): number | string | undefined =>
  value === undefined ? undefined : jsonDouble(value);

function times(point: DataPoint<unknown>): object {
  return { startTimeUnixNano: jsonTime(point.startTime), timeUnixNano: jsonTime(point.endTime) };
}

/** Nothing at all where there are none: most series never have any. */
function exemplarsOf(found: readonly Exemplar[]): object {
  if (found.length === 0) return {};
  return {
    exemplars: found.map(({ value, epochMs, traceId, spanId }) => ({
      timeUnixNano: (BigInt(Math.round(epochMs * 1_000)) * NANOSECONDS_PER_MICROSECOND).toString(),
      asDouble: jsonDouble(value),
      spanId,
      traceId,
    })),
  };
}

function numberPoint(point: DataPoint<number>, type: ValueType): object {
  const value =
    type === ValueType.INT && isInt64(point.value)
      ? { asInt: jsonInt(point.value) }
      : { asDouble: jsonDouble(point.value) };
  return { attributes: jsonAttributes(point.attributes), ...times(point), ...value };
}

function histogramPoint(point: DataPoint<Histogram>, exemplars: readonly Exemplar[]): object {
  const { buckets, count, sum, min, max } = point.value;
  return {
    attributes: jsonAttributes(point.attributes),
    bucketCounts: buckets.counts,
    explicitBounds: buckets.boundaries.map((bound) => jsonDouble(bound)),
    count,
    sum: optionalDouble(sum),
    min: optionalDouble(min),
    max: optionalDouble(max),
    ...times(point),
    ...exemplarsOf(exemplars),
  };
}

function exponentialPoint(point: DataPoint<ExponentialHistogram>, exemplars: readonly Exemplar[]): object {
  const { count, sum, min, max, positive, negative, scale, zeroCount } = point.value;
  return {
    attributes: jsonAttributes(point.attributes),
    count,
    min: optionalDouble(min),
    max: optionalDouble(max),
    sum: optionalDouble(sum),
    positive: { offset: positive.offset, bucketCounts: positive.bucketCounts },
    negative: { offset: negative.offset, bucketCounts: negative.bucketCounts },
    scale,
    zeroCount,
    ...times(point),
    ...exemplarsOf(exemplars),
  };
}

function jsonMetric(data: MetricData, exemplars: Exemplars): object {
  const { name, description, unit, valueType } = data.descriptor;
  const aggregationTemporality = TEMPORALITY[data.aggregationTemporality];
  const head = { name, description, unit };
  switch (data.dataPointType) {
    case DataPointType.SUM:
      return {
        ...head,
        sum: {
          aggregationTemporality,
          isMonotonic: data.isMonotonic,
          dataPoints: data.dataPoints.map((point) => numberPoint(point, valueType)),
        },
      };
    case DataPointType.GAUGE:
      return {
        ...head,
        gauge: { dataPoints: data.dataPoints.map((point) => numberPoint(point, valueType)) },
      };
    case DataPointType.HISTOGRAM:
      return {
        ...head,
        histogram: {
          aggregationTemporality,
          dataPoints: data.dataPoints.map((point) =>
            histogramPoint(point, exemplars(name, point.attributes)),
          ),
        },
      };
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      return {
        ...head,
        exponentialHistogram: {
          aggregationTemporality,
          dataPoints: data.dataPoints.map((point) =>
            exponentialPoint(point, exemplars(name, point.attributes)),
          ),
        },
      };
  }
}

const none: Exemplars = () => [];

/**
 * @param exemplars the exemplars of each histogram's series
 * @returns an `ExportMetricsServiceRequest` as one line of JSON
 */
export function encodeMetrics(metrics: ResourceMetrics, exemplars: Exemplars = none): Uint8Array {
  const resource = jsonResource(metrics.resource);
  const body = {
    resource: resource.body,
    schemaUrl: resource.schemaUrl,
    [LEVELS.metrics.scopes]: metrics.scopeMetrics.map((scope) => ({
      scope: jsonScope(scope.scope),
      [LEVELS.metrics.items]: scope.metrics.map((metric) => jsonMetric(metric, exemplars)),
      schemaUrl: scope.scope.schemaUrl,
    })),
  };
  return Buffer.from(JSON.stringify({ [LEVELS.metrics.resources]: [body] }));
}

/**
 * Makes the encoder of a reader: each batch has the exemplars that came since the one before.
 * @param store where the exemplars are; `undefined` while there are none
 * @param warn told of instruments that have more series than the SDK keeps
 */
export function metricsEncoder(
  store: () => ExemplarStore | undefined,
  warn: Warn,
): (metrics: ResourceMetrics) => Uint8Array {
  let mark = 0;
  return (collected) => {
    const metrics = withoutEmptyKeys(withoutEndedSeries(collected), warn);
    warnOfOverflow(metrics, warn);
    const since = mark;
    const exemplars = store();
    if (!exemplars) return encodeMetrics(metrics);
    mark = exemplars.count;
    return encodeMetrics(metrics, (instrument, attributes) => exemplars.since(since, instrument, attributes));
  };
}

/** How many data points a batch holds. */
export function countPoints(metrics: ResourceMetrics): number {
  let count = 0;
  for (const scope of metrics.scopeMetrics) {
    for (const metric of scope.metrics) count += metric.dataPoints.length;
  }
  return count;
}

/** The metrics of a batch that can be encoded by themselves. */
export function writableMetrics(
  batch: ResourceMetrics,
  encode: (batch: ResourceMetrics) => Uint8Array,
): ResourceMetrics {
  const scopeMetrics = batch.scopeMetrics.map((scope) => ({
    ...scope,
    metrics: writableItems(scope.metrics, (metrics) =>
      encode({ ...batch, scopeMetrics: [{ ...scope, metrics: [...metrics] }] }),
    ).slice(),
  }));
  return { ...batch, scopeMetrics };
}
