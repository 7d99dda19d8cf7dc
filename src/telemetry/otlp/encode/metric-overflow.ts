import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Warn } from '../../warnings/warner.ts';

/** The attribute of the one series that holds what is past the SDK's limit of an instrument (2,000 combinations of attributes). */
const OVERFLOW = 'otel.metric.overflow';

/** Says once for each instrument that it has more combinations of attributes than the SDK tells apart. */
export function warnOfOverflow({ scopeMetrics }: ResourceMetrics, warn: Warn): void {
  for (const { descriptor, dataPoints } of scopeMetrics.flatMap((scope) => scope.metrics)) {
    if (!dataPoints.some((point) => point.attributes[OVERFLOW] === true)) continue;
    warn(
      `overflow:${descriptor.name}`,
      `\`${descriptor.name}\` has more combinations of attributes than the SDK tells apart; further ones are counted together, ` +
        'with otel_metric_overflow="true". Take attributes of many values, such as ids and addresses, away from it.',
    );
  }
}
