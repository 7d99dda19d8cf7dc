import type { MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { liveSeries } from '../../../signals/index.ts';
import { ATTR_GUARD_NAME, SCOPE_NAME } from '../../../signals/semconv.ts';

/**
 * Leaves out series of guards that do not exist any more, and of policies that a guard does not have any more. The SDK reports the last value of
 * a series for as long as the process runs.
 */
export function withoutEndedSeries(metrics: ResourceMetrics): ResourceMetrics {
  const live = known();
  if (!live) return metrics;
  return {
    ...metrics,
    scopeMetrics: metrics.scopeMetrics.map((scope) =>
      scope.scope.name === SCOPE_NAME
        ? { ...scope, metrics: scope.metrics.flatMap((metric) => withLiveSeries(metric, live)) }
        : scope,
    ),
  };
}

function withLiveSeries(
  metric: MetricData,
  live: ReadonlyMap<string, ReadonlySet<string>>,
): readonly MetricData[] {
  const { descriptor, dataPoints } = metric;
  const kept = dataPoints.filter(({ attributes }) => {
    const guard = attributes[ATTR_GUARD_NAME];
    return typeof guard !== 'string' || live.get(guard)?.has(descriptor.name) === true;
  });
  if (kept.length === dataPoints.length) return [metric];
  return kept.length === 0 ? [] : [{ ...metric, dataPoints: kept } as MetricData];
}

function known(): ReturnType<typeof liveSeries> {
  try {
    return liveSeries();
  } catch {
    // A policy of somebody else's that cannot be read: better a series too many than none.
    return undefined;
  }
}
