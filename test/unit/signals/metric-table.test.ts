import type { Meter, MeterProvider } from '@opentelemetry/api';
import { metrics } from '@opentelemetry/api';
import { afterEach, describe, expect, test } from 'vitest';
import { bindSignals } from '../../../src/signals/index.ts';
import { createObservable } from '../../../src/signals/index.ts';
import { MetricTable } from '../../../src/signals/metric-table.ts';
import type { MetricTableOptions } from '../../../src/signals/metric-table.ts';
import type { MetricDefinition } from '../../../src/signals/semconv.ts';
import { memoryTelemetry } from '../../support/memory-telemetry.ts';

afterEach(() => metrics.disable());

interface Queue {
  readonly name: string;
  waiting: number;
  done: number;
}

const WAITING = definition('test.queue.waiting', 'gauge');
const DONE = definition('test.queue.done', 'counter');
const TIME = definition('test.queue.time', 'histogram');

function definition(name: string, instrument: MetricDefinition['instrument']): MetricDefinition {
  return { name, instrument, unit: '{item}', description: 'Items.', attributes: ['queue', 'result'] };
}

function tableOf(changes: Partial<MetricTableOptions<Queue>> = {}): MetricTable<Queue> {
  return new MetricTable<Queue>({
    rows: [
      [WAITING, ({ waiting }, observe) => observe(waiting)],
      [DONE, ({ done }, observe) => observe(done, { result: 'ok' })],
    ],
    attributesOf: ({ name }) => ({ queue: name }),
    ...changes,
  });
}

async function valuesOf(telemetry: ReturnType<typeof memoryTelemetry>, metric: string): Promise<unknown> {
  const points = await telemetry.points(metric);
  return points.map(({ attributes, value }) => [attributes, value]);
}

describe('a table of metrics', () => {
  test('is read from every source, with the attributes of the source and those of the value', async () => {
    const telemetry = memoryTelemetry();
    const table = tableOf({ provider: telemetry.meterProvider });
    const mail = { name: 'mail', waiting: 3, done: 7 };
    table.add(mail);
    table.add({ name: 'bills', waiting: 0, done: 0 });
    expect(await valuesOf(telemetry, 'test.queue.waiting')).toEqual([
      [{ queue: 'mail' }, 3],
      [{ queue: 'bills' }, 0],
    ]);
    mail.done = 8;
    expect(await valuesOf(telemetry, 'test.queue.done')).toEqual([
      [{ queue: 'mail', result: 'ok' }, 8],
      [{ queue: 'bills', result: 'ok' }, 0],
    ]);
    table.remove(mail);
    mail.done = 9;
    // The SDK goes on with the last value that it was given.
    expect(await valuesOf(telemetry, 'test.queue.done')).toContainEqual([{ queue: 'mail', result: 'ok' }, 8]);
  });

  test.each([undefined, Number.NaN, Number.POSITIVE_INFINITY])(
    'leaves out a value of %s',
    async (waiting) => {
      const telemetry = memoryTelemetry();
      const table = tableOf({
        provider: telemetry.meterProvider,
        rows: [[WAITING, (_source, observe) => observe(waiting)]],
      });
      table.add({ name: 'mail', waiting: 0, done: 0 });
      expect(await valuesOf(telemetry, 'test.queue.waiting')).toEqual([]);
      expect(table.failures).toBe(0);
    },
  );

  test('loses the one metric whose reader throws, and counts that', async () => {
    const telemetry = memoryTelemetry();
    const table = tableOf({
      provider: telemetry.meterProvider,
      rows: [
        [
          WAITING,
          ({ name, waiting }, observe) => {
            if (name === 'broken') throw new Error('reader');
            observe(waiting);
          },
        ],
        [DONE, ({ done }, observe) => observe(done)],
      ],
    });
    table.add({ name: 'broken', waiting: 1, done: 1 });
    table.add({ name: 'mail', waiting: 2, done: 2 });
    expect(await valuesOf(telemetry, 'test.queue.waiting')).toEqual([[{ queue: 'mail' }, 2]]);
    expect(await valuesOf(telemetry, 'test.queue.done')).toHaveLength(2);
    expect(table.failures).toBe(2);
  });
});

describe('a table that was made before the SDK', () => {
  test('follows the first SDK, and then another one', async () => {
    const table = tableOf();
    const time = table.histogram(TIME, [1, 10]);
    const mail = { name: 'mail', waiting: 3, done: 0 };
    table.add(mail);
    expect(time.current).toBeUndefined();

    const first = memoryTelemetry();
    metrics.setGlobalMeterProvider(first.meterProvider);
    bindSignals();
    time.current?.record(5, { queue: 'mail' });
    expect(await valuesOf(first, 'test.queue.waiting')).toEqual([[{ queue: 'mail' }, 3]]);
    expect(await valuesOf(first, 'test.queue.time')).toMatchObject([[{ queue: 'mail' }, { count: 1 }]]);

    metrics.disable();
    const second = memoryTelemetry();
    metrics.setGlobalMeterProvider(second.meterProvider);
    bindSignals();
    time.current?.record(6, { queue: 'mail' });
    mail.waiting = 4;
    expect(await valuesOf(second, 'test.queue.waiting')).toEqual([[{ queue: 'mail' }, 4]]);
    expect(await valuesOf(second, 'test.queue.time')).toMatchObject([[{ queue: 'mail' }, { count: 1 }]]);
    // The first goes on with the last value that it was given.
    expect(await valuesOf(first, 'test.queue.waiting')).toEqual([[{ queue: 'mail' }, 3]]);
    expect(table.failures).toBe(0);
  });

  test('has no histogram any more once the SDK is gone', () => {
    const bound: boolean[] = [];
    const table = tableOf({ onBind: (provider) => bound.push(provider !== undefined) });
    const time = table.histogram(TIME, [1, 10]);
    metrics.setGlobalMeterProvider(memoryTelemetry().meterProvider);
    table.bind();
    expect(time.current).toBeDefined();
    metrics.disable();
    table.bind();
    table.bind();
    expect([time.current, bound]).toEqual([undefined, [true, false]]);
  });

  test('makes a histogram at once that is asked for later', async () => {
    const telemetry = memoryTelemetry();
    const table = tableOf({ provider: telemetry.meterProvider });
    table.bind();
    table.histogram(TIME, [1, 10]).current?.record(5);
    expect(await valuesOf(telemetry, 'test.queue.time')).toMatchObject([
      [{}, { count: 1, buckets: { boundaries: [1, 10], counts: [0, 1, 0] } }],
    ]);
  });
});

describe('a provider that throws', () => {
  const throwing = (): never => {
    throw new Error('broken SDK');
  };

  test('costs the metrics until the next provider, and reaches nobody', async () => {
    const table = tableOf();
    const time = table.histogram(TIME, [1]);
    metrics.setGlobalMeterProvider({ getMeter: throwing });
    table.add({ name: 'mail', waiting: 3, done: 0 });
    table.bind();
    expect([table.failures, time.current]).toEqual([1, undefined]);
    metrics.disable();
    const telemetry = memoryTelemetry();
    metrics.setGlobalMeterProvider(telemetry.meterProvider);
    table.bind();
    expect(await valuesOf(telemetry, 'test.queue.waiting')).toEqual([[{ queue: 'mail' }, 3]]);
    expect(time.current).toBeDefined();
  });

  test('when it is left does not keep the next one from its metrics', async () => {
    const leaving = memoryTelemetry().meterProvider.getMeter('leaving');
    const meter: Meter = Object.create(leaving, { removeBatchObservableCallback: { value: throwing } });
    const provider: MeterProvider = { getMeter: () => meter };
    metrics.setGlobalMeterProvider(provider);
    const table = tableOf();
    table.add({ name: 'mail', waiting: 3, done: 0 });
    metrics.disable();
    const telemetry = memoryTelemetry();
    metrics.setGlobalMeterProvider(telemetry.meterProvider);
    table.bind();
    expect(await valuesOf(telemetry, 'test.queue.waiting')).toEqual([[{ queue: 'mail' }, 3]]);
    expect(table.failures).toBe(1);
  });
});

test('a histogram cannot be observed', () => {
  const meter = memoryTelemetry().meterProvider.getMeter('test');
  expect(() => createObservable(meter, TIME)).toThrow(
    'test.queue.time is a histogram: it cannot be observed.',
  );
});
