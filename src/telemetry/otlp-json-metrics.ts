import { ValueType } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType } from '@opentelemetry/sdk-metrics';
import type {
  DataPoint,
  ExponentialHistogram,
  Histogram,
  MetricData,
  ResourceMetrics,
} from '@opentelemetry/sdk-metrics';

import {
  isInt64,
  jsonAttributes,
  jsonDouble,
  jsonInt,
  jsonResource,
  jsonScope,
  jsonTime,
} from './otlp-json.ts';

const TEMPORALITY: Readonly<Record<AggregationTemporality, number>> = {
  [AggregationTemporality.DELTA]: 1,
  [AggregationTemporality.CUMULATIVE]: 2,
};

const optionalDouble = (value: number | undefined): number | string | undefined =>
  value === undefined ? undefined : jsonDouble(value);

function times(point: DataPoint<unknown>): object {
  return { startTimeUnixNano: jsonTime(point.startTime), timeUnixNano: jsonTime(point.endTime) };
}

function numberPoint(point: DataPoint<number>, type: ValueType): object {
  const value =
    type === ValueType.INT && isInt64(point.value)
      ? { asInt: jsonInt(point.value) }
      : { asDouble: jsonDouble(point.value) };
  return { attributes: jsonAttributes(point.attributes), ...times(point), ...value };
}

function histogramPoint(point: DataPoint<Histogram>): object {
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
  };
}

function exponentialPoint(point: DataPoint<ExponentialHistogram>): object {
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
  };
}

function jsonMetric(data: MetricData): object {
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
        histogram: { aggregationTemporality, dataPoints: data.dataPoints.map(histogramPoint) },
      };
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      return {
        ...head,
        exponentialHistogram: { aggregationTemporality, dataPoints: data.dataPoints.map(exponentialPoint) },
      };
  }
}

/** @returns an `ExportMetricsServiceRequest` as one line of JSON */
export function encodeMetrics(metrics: ResourceMetrics): Uint8Array {
  const resource = jsonResource(metrics.resource);
  const body = {
    resource: resource.body,
    schemaUrl: resource.schemaUrl,
    scopeMetrics: metrics.scopeMetrics.map((scope) => ({
      scope: jsonScope(scope.scope),
      metrics: scope.metrics.map(jsonMetric),
      schemaUrl: scope.scope.schemaUrl,
    })),
  };
  return Buffer.from(JSON.stringify({ resourceMetrics: [body] }));
}

/** How many data points a batch holds. */
export function countPoints(metrics: ResourceMetrics): number {
  let count = 0;
  for (const scope of metrics.scopeMetrics) {
    for (const metric of scope.metrics) count += metric.dataPoints.length;
  }
  return count;
}
