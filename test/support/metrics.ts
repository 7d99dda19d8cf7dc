import type { Attributes, Meter } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { ResourceMetrics, ViewOptions } from '@opentelemetry/sdk-metrics';
import { PullReader } from '../../src/telemetry/prometheus/pull-reader.ts';

/** What the SDK collects after `record` has used its meters. */
export async function collected(
  record: (meter: Meter, otherMeter: Meter) => void,
  parts: { readonly resource?: Attributes; readonly views?: ViewOptions[] } = {},
): Promise<ResourceMetrics> {
  const reader = new PullReader();
  const provider = new MeterProvider({
    resource: resourceFromAttributes(parts.resource ?? {}),
    readers: [reader],
    views: parts.views ?? [],
  });
  record(provider.getMeter('one'), provider.getMeter('other'));
  const { resourceMetrics } = await reader.collect();
  await provider.shutdown();
  return resourceMetrics;
}
