import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { guard } from '../../../../../src/index.ts';
import { SCOPE_NAME } from '../../../../../src/signals/semconv.ts';
import { startTelemetry } from '../../../../../src/telemetry/index.ts';
import type { Telemetry } from '../../../../../src/telemetry/index.ts';
import { withoutEndedSeries } from '../../../../../src/telemetry/otlp/encode/ended-series.ts';
import { collected } from '../../../../support/metrics.ts';
import { attributesOf, OtlpReceiver } from '../../../../support/otlp-receiver.ts';

const OPTIONS = { breaker: {}, bulkhead: { concurrent: 1 } };

describe('the series of a guard that is disposed', () => {
  let home = '';
  let receiver = new OtlpReceiver();
  let telemetry: Telemetry | undefined;

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'keelson-ended-'));
    receiver = await OtlpReceiver.start();
    telemetry = startTelemetry({
      home,
      prometheus: { port: 0 },
      logger: { console: false },
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    });
    await telemetry.ready;
  });

  afterEach(async () => {
    await telemetry?.shutdown();
    await receiver.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** The metrics with a series of this guard in the next push. */
  async function pushed(name: string): Promise<string[]> {
    receiver.requests.length = 0;
    await telemetry?.forceFlush();
    return receiver.metrics
      .filter((metric) =>
        [metric.sum, metric.gauge, metric.histogram].some((data) =>
          data?.dataPoints.some(({ attributes }) => attributesOf(attributes)['keelson.guard.name'] === name),
        ),
      )
      .map((metric) => metric.name);
  }

  /** The lines of the endpoint that name this guard. */
  async function scraped(name: string): Promise<string[]> {
    const response = await fetch(telemetry?.prometheus?.url ?? '');
    return (await response.text()).split('\n').filter((line) => line.includes(`"${name}"`));
  }

  test('are not in the next push and not on the next scrape, until the name has a guard again', async () => {
    const ended = guard('ended', OPTIONS);
    const other = guard('not ended', OPTIONS);
    await ended.run('charge', async () => 1);
    await other.run('charge', async () => 1);
    expect(await pushed('ended')).toEqual(
      expect.arrayContaining(['keelson.call.duration', 'keelson.bulkhead.limit']),
    );
    expect((await scraped('ended')).length).toBeGreaterThan(20);
    const before = [await pushed('not ended'), (await scraped('not ended')).length];

    ended.dispose();
    await ended.run('charge', async () => 1);
    expect(await pushed('ended')).toEqual([]);
    expect(await scraped('ended')).toEqual([]);
    expect([await pushed('not ended'), (await scraped('not ended')).length]).toEqual(before);
    expect(
      receiver.metrics.filter(
        ({ sum, gauge, histogram }) => (sum ?? gauge ?? histogram)?.dataPoints.length === 0,
      ),
    ).toEqual([]);

    using again = guard('ended', { breaker: {} });
    await again.run('charge', async () => 1);
    const metricsAgain = await pushed('ended');
    expect(metricsAgain).toContain('keelson.breaker.state');
    expect(metricsAgain).not.toContain('keelson.bulkhead.limit');
    const calls = (await scraped('ended')).filter((line) => /^keelson_calls_total\{.*"success"/.test(line));
    expect(calls.map((line) => line.split(' ').at(-1))).toEqual(['1']);
    other.dispose();
  });
});

describe('what is left out', () => {
  test('is not what others measure, nor what names no guard', async () => {
    const attributes = { 'keelson.guard.name': 'never made' };
    const foreign = await collected((meter) => meter.createCounter('c').add(1, attributes));
    expect(withoutEndedSeries(foreign)).toEqual(foreign);
    const ours = {
      ...foreign,
      scopeMetrics: foreign.scopeMetrics.map((scope) => ({ ...scope, scope: { name: SCOPE_NAME } })),
    };
    expect(withoutEndedSeries(ours).scopeMetrics.flatMap((scope) => scope.metrics)).toEqual([]);
    const overflow = await collected((meter) =>
      meter.createCounter('c').add(1, { 'otel.metric.overflow': true }),
    );
    expect(withoutEndedSeries(overflow)).toEqual(overflow);
  });

  test('is nothing where a policy of somebody else cannot be read', async () => {
    const instances = Reflect.get(globalThis, Symbol.for('keelson.signals.v1')) as Set<WeakRef<object>>;
    const broken = {
      bind: () => {},
      published: () => {
        throw new Error('no');
      },
    };
    const reference = new WeakRef<object>(broken);
    instances.add(reference);
    try {
      const found = await collected((meter) => meter.createCounter('c').add(1));
      expect(withoutEndedSeries(found)).toBe(found);
      expect(() => broken.published()).toThrow('no');
    } finally {
      instances.delete(reference);
    }
  });
});
