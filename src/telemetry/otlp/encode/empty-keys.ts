import type { Attributes } from '@opentelemetry/api';
import { DataPointType } from '@opentelemetry/sdk-metrics';
import type { DataPoint, MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Warn } from '../../warnings/warner.ts';

const hasEmptyKey = ({ attributes }: DataPoint<unknown>): boolean => Object.hasOwn(attributes, '');

/**
 * Leaves out attributes with an empty key, which the specification forbids and the SDK takes for metrics: Prometheus refuses the whole batch for
 * one. Sums that cannot be told apart without it are added up; of other points the last one stays. Said once for each instrument.
 * Source: OpenTelemetry specification, common, attribute: "The attribute key MUST be a non-null and non-empty string".
 */
export function withoutEmptyKeys(metrics: ResourceMetrics, warn: Warn): ResourceMetrics {
  const isClean = ({ dataPoints }: MetricData): boolean => !dataPoints.some(hasEmptyKey);
  if (metrics.scopeMetrics.every((scope) => scope.metrics.every(isClean))) return metrics;
  return {
    ...metrics,
    scopeMetrics: metrics.scopeMetrics.map((scope) => ({
      ...scope,
      metrics: scope.metrics.map((metric) => {
        if (isClean(metric)) return metric;
        const { name } = metric.descriptor;
        warn(
          `attribute:empty:${name}`,
          `\`${name}\` has an attribute with an empty key, which is none: it is left out. Series that only it told apart are one now. Name it.`,
        );
        return cleaned(metric);
      }),
    })),
  };
}

function cleaned(metric: MetricData): MetricData {
  if (metric.dataPointType !== DataPointType.SUM) {
    return { ...metric, dataPoints: merged<unknown>(metric.dataPoints, (_, last) => last) } as MetricData;
  }
  const add = (one: DataPoint<number>, other: DataPoint<number>): DataPoint<number> => ({
    ...other,
    startTime: one.startTime,
    value: one.value + other.value,
  });
  return { ...metric, dataPoints: merged(metric.dataPoints, add) };
}

function merged<T>(
  points: readonly DataPoint<T>[],
  merge: (one: DataPoint<T>, other: DataPoint<T>) => DataPoint<T>,
): DataPoint<T>[] {
  const found = new Map<string, DataPoint<T>>();
  for (const point of points) {
    const attributes = withoutEmptyKey(point.attributes);
    const key = JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const before = found.get(key);
    const clean = { ...point, attributes };
    found.set(key, before ? merge(before, clean) : clean);
  }
  return [...found.values()];
}

function withoutEmptyKey(attributes: Attributes): Attributes {
  const rest = { ...attributes };
  delete rest[''];
  return rest;
}
