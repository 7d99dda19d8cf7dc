import type { MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics';

import { liveSeries } from '../signals/index.ts';
import { ATTR_GUARD_NAME, SCOPE_NAME } from '../signals/semconv.ts';

/**
 * Leaves out series of guards that do not exist any more, and of policies that a guard does not have any more. The SDK reports the last value of
 * a series for as long as the process runs.
 */
export function withoutEndedSeries(metrics: ResourceMetrics): ResourceMetrics {
  const live = known();
  if (!live) return metrics;
  const isLive = (metric: MetricData, guard: unknown): boolean =>
    typeof guard !== 'string' || live.get(guard)?.has(metric.descriptor.name) === true;
  return {
    ...metrics,
    scopeMetrics: metrics.scopeMetrics.map((scope) => {
      if (scope.scope.name !== SCOPE_NAME) return scope;
      const kept = scope.metrics.map((metric): MetricData => {
        const points = metric.dataPoints.filter(({ attributes }) =>
          isLive(metric, attributes[ATTR_GUARD_NAME]),
        );
        return points.length === metric.dataPoints.length
          ? metric
          : ({ ...metric, dataPoints: points } as MetricData);
      });
      return { ...scope, metrics: kept };
    }),
  };
}

function known(): ReturnType<typeof liveSeries> {
  try {
    return liveSeries();
  } catch {
    // A policy of somebody else's that cannot be read: better a series too many than none.
    return undefined;
  }
}
