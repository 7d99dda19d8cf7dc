import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { expect, test } from 'vitest';
import { HostSampler } from '../../../../src/host/index.ts';
import type { HostProbe } from '../../../../src/host/index.ts';
import { registerHostGauges } from '../../../../src/telemetry/gauges/host-gauges.ts';
import { HOST_METRICS } from '../../../../src/telemetry/gauges/host-metrics.ts';
import { recordGc } from '../../../../src/telemetry/gauges/process-gauges.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { bareMachine, machine } from '../../host/machine.ts';

interface Published {
  readonly unit: string;
  readonly points: readonly { readonly attributes: unknown; readonly value: unknown }[];
}

/** Samples twice, a second apart, and gives what a reader then finds, by name. */
async function published(probe: HostProbe): Promise<Readonly<Record<string, Published>>> {
  const clock = new FakeClock();
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  const provider = new MeterProvider({ readers: [reader] });
  const meter = provider.getMeter('test');
  const sampler = new HostSampler({ clock, probe, path: '/data' });
  sampler.start();
  registerHostGauges(meter, () => sampler.latest);
  await sampler.sample();
  await clock.advance(1_000);
  await sampler.sample();
  await reader.forceFlush();
  sampler.stop();
  const metrics = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((each) => each.metrics));
  await provider.shutdown();
  return Object.fromEntries(
    metrics.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      { unit: descriptor.unit, points: dataPoints.map(({ attributes, value }) => ({ attributes, value })) },
    ]),
  );
}

const gauges = HOST_METRICS.filter(({ instrument }) => instrument !== 'histogram');

test('publishes every metric that the table has, with its unit and its attributes', async () => {
  const probe = machine();
  const cpuTimes = (): ReturnType<HostProbe['cpuTimes']> => {
    probe.busySeconds += 1;
    return probe.cpuTimes();
  };
  const found = await published({ ...probe, cpuTimes });
  const whole = gauges.filter(({ name }) => !name.startsWith('nodejs.eventloop.delay.'));
  for (const { name, unit, attributes } of whole) {
    expect(found[name]?.unit, name).toBe(unit);
    for (const point of found[name]?.points ?? []) {
      expect(Object.keys(point.attributes ?? {}).toSorted(), name).toEqual(attributes.toSorted());
    }
  }
  expect(found['container.memory.usage.limit']?.points).toEqual([{ attributes: {}, value: 50 }]);
  expect(found['container.memory.available']?.points).toEqual([{ attributes: {}, value: 20 }]);
  expect(found['container.cpu.throttling_data.throttled_time']?.points).toEqual([
    { attributes: {}, value: 1.5 },
  ]);
  expect(found['keelson.host.pressure']?.points).toHaveLength(2 * 3 * 2);
  expect(found['system.filesystem.inodes.usage']?.points.map(({ value }) => value)).toEqual([3, 7]);
  expect(found['process.context_switches']?.points.map(({ value }) => value)).toEqual([20, 10]);
});

test('publishes the event loop and nothing else where the platform tells nothing', async () => {
  const found = Object.entries(await published(bareMachine())).filter(([, { points }]) => points.length > 0);
  expect(found.map(([name]) => name).filter((name) => !name.startsWith('nodejs.eventloop.'))).toEqual([]);
  expect(found.map(([name]) => name)).toContain('nodejs.eventloop.utilization');
});

test('records garbage collections by type, with bounds that hold those of the conventions', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  const provider = new MeterProvider({ readers: [reader] });
  const end = recordGc(provider.getMeter('test'));
  const points = async (): Promise<readonly { attributes: unknown; value: unknown }[]> => {
    await reader.forceFlush();
    const { metrics = [] } = exporter.getMetrics().at(-1)?.scopeMetrics[0] ?? {};
    return metrics.flatMap(({ dataPoints }): { attributes: unknown; value: unknown }[] => dataPoints);
  };
  let garbage: unknown[] = [];
  await expect
    .poll(
      () => {
        garbage = Array.from({ length: 100_000 }, (_, index) => ({ index, garbage: garbage.length }));
        return points();
      },
      { timeout: 10_000 },
    )
    .toContainEqual(
      expect.objectContaining({
        attributes: { 'v8js.gc.type': 'minor' },
        value: expect.objectContaining({
          buckets: expect.objectContaining({
            boundaries: expect.arrayContaining([0.01, 0.1, 1, 10]),
          }),
        }),
      }),
    );
  end();
  await provider.shutdown();
});
