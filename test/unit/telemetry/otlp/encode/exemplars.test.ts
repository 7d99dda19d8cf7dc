import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context, trace } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createKeelson } from '../../../../../src/index.ts';
import { exemplarPort, setExemplarPort } from '../../../../../src/signals/exemplars.ts';
import { METRIC_CALL_DURATION } from '../../../../../src/signals/semconv.ts';
import { startTelemetry } from '../../../../../src/telemetry/index.ts';
import type { Telemetry, TelemetryOptions } from '../../../../../src/telemetry/index.ts';
import { ExemplarStore } from '../../../../../src/telemetry/otlp/encode/exemplar-store.ts';
import { FakeClock } from '../../../../../src/testing/index.ts';
import { readExposition } from '../../../../support/exposition.ts';
import type { ExposedSample } from '../../../../support/exposition.ts';
import { failing } from '../../../../support/failing.ts';
import { attributesOf, OtlpReceiver } from '../../../../support/otlp-receiver.ts';

let home = '';
let receiver: OtlpReceiver;
let telemetry: Telemetry | undefined;
let warnings: string[] = [];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'keelson-exemplars-'));
  receiver = await OtlpReceiver.start();
  warnings = [];
});

afterEach(async () => {
  await telemetry?.shutdown();
  telemetry = undefined;
  await receiver.close();
  rmSync(home, { recursive: true, force: true });
});

function start(options: TelemetryOptions = {}, env: Record<string, string> = {}): Telemetry {
  telemetry = startTelemetry({
    home,
    files: false,
    hostInterval: false,
    prometheus: { port: 0 },
    logger: { console: false, files: false },
    writeWarning: (line) => warnings.push(line),
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env },
    ...options,
  });
  return telemetry;
}

type Point = NonNullable<OtlpReceiver['metrics'][number]['histogram']>['dataPoints'][number];

/** What the last batch holds of the durations. */
async function sentPoints(): Promise<readonly Point[]> {
  await telemetry?.forceFlush();
  return (
    receiver.metrics.findLast(({ name }) => name === METRIC_CALL_DURATION.name)?.histogram?.dataPoints ?? []
  );
}

/** The samples of the endpoint that have an exemplar. */
async function scraped(): Promise<readonly ExposedSample[]> {
  await telemetry?.ready;
  const response = await fetch(telemetry?.prometheus?.url ?? '', {
    headers: { accept: 'application/openmetrics-text' },
  });
  return readExposition(await response.text(), 'openmetrics')
    .flatMap(({ samples }) => samples)
    .filter(({ exemplar }) => exemplar !== undefined);
}

const call = (): Promise<unknown> =>
  createKeelson()
    .guard('payments')
    .outcome('charge', async () => 1);

describe('the duration of a sampled call', () => {
  test('has an exemplar with the ids of its span, on the endpoint and in OTLP', async () => {
    start();
    const before = Date.now();
    await call();
    const [sample, ...others] = await scraped();
    const [point] = await sentPoints();
    const [span] = receiver.spans;
    expect(others).toEqual([]);
    const ids = { trace_id: span?.traceId, span_id: span?.spanId };
    expect(sample).toMatchObject({
      name: 'keelson_call_duration_seconds_bucket',
      labels: { keelson_guard_name: 'payments', keelson_outcome: 'success' },
      exemplar: { labels: ids },
    });
    expect(sample?.exemplar?.value).toBeLessThanOrEqual(Number(sample?.labels['le']));
    expect(point?.exemplars).toEqual([
      {
        timeUnixNano: expect.stringMatching(/^\d{19}$/),
        asDouble: sample?.exemplar?.value,
        traceId: span?.traceId,
        spanId: span?.spanId,
      },
    ]);
    const sentMs = Number(point?.exemplars?.[0]?.timeUnixNano) / 1e6;
    expect(sentMs).toBeGreaterThanOrEqual(before - 1);
    expect((sample?.exemplar?.time ?? 0) * 1_000).toBeCloseTo(sentMs, 0);
  });

  test('is sent once, and stays on the endpoint', async () => {
    start();
    await call();
    expect((await sentPoints())[0]?.exemplars).toHaveLength(1);
    const [again] = await sentPoints();
    expect(again).toBeDefined();
    expect(again?.exemplars).toBeUndefined();
    expect(await scraped()).toHaveLength(1);
    await call();
    expect((await sentPoints())[0]?.exemplars).toHaveLength(1);
  });

  test('belongs to the series of its outcome and error', async () => {
    start();
    const guard = createKeelson().guard('payments');
    await guard.outcome('charge', async () => 1);
    await guard.outcome('charge', failing(1));
    const points = await sentPoints();
    expect(
      points.map(({ attributes, exemplars }) => [
        attributesOf(attributes)['error.type'],
        exemplars?.map(({ spanId }) => spanId),
      ]),
    ).toEqual([
      [undefined, [receiver.spans[0]?.spanId]],
      ['Error', [receiver.spans[1]?.spanId]],
    ]);
  });
});

describe('no exemplar', () => {
  test('comes from a call that is not sampled', async () => {
    start({ sampler: new AlwaysOffSampler() });
    await call();
    expect((await sentPoints())[0]).not.toHaveProperty('exemplars');
    expect(await scraped()).toEqual([]);
  });

  test('comes from a call under a parent that is not sampled', async () => {
    start();
    const spanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 0 };
    await context.with(trace.setSpanContext(context.active(), spanContext), call);
    expect((await sentPoints())[0]).not.toHaveProperty('exemplars');
  });

  test('is kept with `OTEL_METRICS_EXEMPLAR_FILTER=always_off`', async () => {
    start({}, { OTEL_METRICS_EXEMPLAR_FILTER: 'always_off' });
    expect(exemplarPort()).toBeUndefined();
    await call();
    expect((await sentPoints())[0]).not.toHaveProperty('exemplars');
    expect(warnings).toEqual([]);
  });

  test('goes to a telemetry that another meter provider has nothing to do with', async () => {
    start();
    const meterProvider = new MeterProvider({});
    await createKeelson({ meterProvider })
      .guard('payments')
      .run('charge', async () => 1);
    await call();
    expect((await sentPoints())[0]?.exemplars?.map(({ spanId }) => spanId)).toEqual([
      receiver.spans[1]?.spanId,
    ]);
  });

  test('is kept after the end', async () => {
    start();
    expect(exemplarPort()).toBeDefined();
    await telemetry?.shutdown();
    expect(exemplarPort()).toBeUndefined();
    await call();
  });
});

describe('a call', () => {
  test('is unchanged by a port that throws', async () => {
    start();
    const { meterProvider } = exemplarPort() ?? {};
    if (!meterProvider) throw new Error('There is no port.');
    setExemplarPort({
      meterProvider,
      series: () => {
        throw new Error('broken');
      },
    });
    const { outcome } = await createKeelson()
      .guard('payments')
      .outcome('charge', async () => 1);
    expect(outcome).toBe('success');
    expect((await sentPoints())[0]).toBeDefined();
  });
});

describe('the store', () => {
  const bounds = [1, 2];
  const clock = new FakeClock();
  const make = (): ExemplarStore => new ExemplarStore(new MeterProvider({}), clock);

  test('keeps the newest of each bucket, by ascending value', async () => {
    const store = make();
    const series = store.series('h', bounds, { a: 'x' });
    for (const value of [5, 0.5, 1, 7, 1.5]) {
      series?.offer(value, `trace ${value}`, 'span');
      await clock.advance(1_000);
    }
    const found = store.since(0, 'h', { a: 'x' });
    expect(found.map(({ value, traceId }) => [value, traceId])).toEqual([
      [1, 'trace 1'],
      [1.5, 'trace 1.5'],
      [7, 'trace 7'],
    ]);
    expect(found.map(({ epochMs }) => epochMs - (found[0]?.epochMs ?? 0))).toEqual([0, 2_000, 1_000]);
  });

  test('tells what is new since a mark', () => {
    const store = make();
    const series = store.series('h', bounds, {});
    series?.offer(0.5, 'one', 'span');
    const mark = store.count;
    series?.offer(5, 'two', 'span');
    expect(store.since(mark, 'h', {}).map(({ traceId }) => traceId)).toEqual(['two']);
    expect(store.since(store.count, 'h', {})).toEqual([]);
  });

  test('knows a series by its attributes, in whatever order they come', () => {
    const store = make();
    store.series('h', bounds, { a: 1, b: 2 })?.offer(1, 'one', 'span');
    expect(store.since(0, 'h', { b: 2, a: 1 })).toHaveLength(1);
    expect(store.since(0, 'h', { a: 2, b: 1 })).toEqual([]);
    expect(store.since(0, 'other', { a: 1, b: 2 })).toEqual([]);
  });

  test('keeps no more than two thousand series', () => {
    const store = make();
    for (let index = 0; index < 2_000; index += 1) store.series('h', bounds, { index });
    expect(store.series('h', bounds, { index: 2_000 })).toBeUndefined();
    expect(store.series('other', bounds, {})).toBeUndefined();
    expect(store.series('h', bounds, { index: 7 })).toBeDefined();
  });
});
