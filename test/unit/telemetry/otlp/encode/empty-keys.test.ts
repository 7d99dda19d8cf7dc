import type { Meter } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { describe, expect, test } from 'vitest';
import { withoutEmptyKeys } from '../../../../../src/telemetry/otlp/encode/empty-keys.ts';
import { metricsEncoder } from '../../../../../src/telemetry/otlp/encode/metrics.ts';

/** What a meter with these measurements gives. */
async function collected(measure: (meter: Meter) => void): Promise<ResourceMetrics> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter });
  const provider = new MeterProvider({ readers: [reader] });
  measure(provider.getMeter('m'));
  const { resourceMetrics } = await reader.collect();
  await provider.shutdown();
  return resourceMetrics;
}

describe('an attribute with an empty key', () => {
  const measure = (meter: Meter): void => {
    const sum = meter.createCounter('orders');
    sum.add(1, { '': 'a', kind: 'x' });
    sum.add(2, { '': 'b', kind: 'x' });
    sum.add(4, { kind: 'x' });
    sum.add(8, { '': 'a', kind: 'y' });
    meter.createGauge('depth').record(3, { '': 'a' });
    meter.createHistogram('time').record(3, { '': 'a', kind: 'x' });
    meter.createCounter('clean').add(1, { kind: 'x' });
  };

  test('is left out of metrics, sums are added up, and it is said once for each instrument', async () => {
    const warnings: string[] = [];
    const metrics = withoutEmptyKeys(await collected(measure), (kind) => warnings.push(kind));
    const points = metrics.scopeMetrics.flatMap((scope) =>
      scope.metrics.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map(({ attributes, value }) => [
          attributes,
          typeof value === 'number' ? value : 'histogram',
        ]),
      ]),
    );
    expect(points).toEqual([
      [
        'orders',
        [
          [{ kind: 'x' }, 7],
          [{ kind: 'y' }, 8],
        ],
      ],
      ['depth', [[{}, 3]]],
      ['time', [[{ kind: 'x' }, 'histogram']]],
      ['clean', [[{ kind: 'x' }, 1]]],
    ]);
    expect(warnings).toEqual(['attribute:empty:orders', 'attribute:empty:depth', 'attribute:empty:time']);
  });

  test('comes over OTLP in no metric', async () => {
    const encode = metricsEncoder(
      () => undefined,
      () => {},
    );
    const text = Buffer.from(encode(await collected(measure))).toString();
    expect(text).toContain('"kind"');
    expect(text).not.toContain('"key":""');
  });

  test('costs nothing where there is none', async () => {
    const metrics = await collected((meter) => meter.createCounter('clean').add(1, { kind: 'x' }));
    expect(withoutEmptyKeys(metrics, () => {})).toBe(metrics);
  });
});
