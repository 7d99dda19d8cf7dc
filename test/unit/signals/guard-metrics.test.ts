import { metrics } from '@opentelemetry/api';
import { afterEach, describe, expect, test } from 'vitest';
import { createKeelson } from '../../../src/guard/index.ts';
import type { CacheTier } from '../../../src/policies/cache/index.ts';
import type { LimiterStore } from '../../../src/policies/rate-limit/index.ts';
import { bindSignals } from '../../../src/signals/index.ts';
import { GUARD_METRICS } from '../../../src/signals/semconv.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { failing } from '../../support/failing.ts';
import { memoryTelemetry, valueOf } from '../../support/memory-telemetry.ts';

afterEach(() => metrics.disable());

const FULL = {
  retry: { retries: 1, delay: '1s', jitter: 0 },
  breaker: { failures: 2, successes: 1, openFor: '10s' },
  bulkhead: { concurrent: 5, queue: 7, queueTimeout: '1s' },
  timeout: { attempt: '1s', total: '10s' },
  rateLimit: { limit: 100, per: '1s' },
  cache: { ttl: '1m' },
  fallback: { value: 'instead', when: () => false },
} as const;

const STORE: LimiterStore = {
  take: async () => ({ granted: true, retryAfterMs: 0, remaining: 1 }),
  close: async () => {},
};
const TIER: CacheTier = { get: async () => undefined, set: async () => {}, delete: async () => {} };

/** The policies that share something with other processes. */
const SHARING = {
  ...FULL,
  rateLimit: { ...FULL.rateLimit, algorithm: 'bucket', store: STORE },
  cache: { ...FULL.cache, secondTier: TIER },
} as const;

describe('the metrics of a guard', () => {
  test('exist at 0 from the moment the guard is made, in every closed combination of labels', async () => {
    const telemetry = memoryTelemetry();
    const guard = createKeelson({ meterProvider: telemetry.meterProvider }).guard('payments', SHARING);
    const names = await telemetry.metricNames();
    const atOnce = GUARD_METRICS.filter(
      ({ instrument, name }) => instrument !== 'histogram' && name !== 'keelson.guard.keys',
    );
    expect(names.toSorted()).toEqual(atOnce.map(({ name }) => name).toSorted());
    guard.for('a');
    expect(await telemetry.points('keelson.guard.keys')).toHaveLength(5);
    const calls = await telemetry.points('keelson.calls');
    expect(calls.map(({ value }) => value)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(await telemetry.points('keelson.cache.requests')).toHaveLength(6);
    const rejections = await telemetry.points('keelson.rejections');
    expect(
      rejections.map(({ attributes }) =>
        [attributes['keelson.policy.name'], attributes['keelson.reason']].join('/'),
      ),
    ).toEqual([
      'timeout/deadline',
      'breaker/open',
      'breaker/half_open',
      'breaker/forced_open',
      'rate_limit/rate_limited',
      'bulkhead/full',
      'bulkhead/queue_timeout',
      'bulkhead/reentrant',
    ]);
    expect(await telemetry.points('keelson.retry.suppressed')).toHaveLength(7);
    expect(await telemetry.points('keelson.breaker.transitions')).toHaveLength(15);
  });

  test('tell of no shared store and no second tier where there is none', async () => {
    const telemetry = memoryTelemetry();
    const sharing = memoryTelemetry();
    createKeelson({ meterProvider: telemetry.meterProvider }).guard('payments', FULL);
    createKeelson({ meterProvider: sharing.meterProvider }).guard('payments', SHARING);
    const alone = new Set(await telemetry.metricNames());
    expect((await sharing.metricNames()).filter((name) => !alone.has(name)).toSorted()).toEqual([
      'keelson.cache.tier.failures',
      'keelson.rate_limiter.store.failures',
      'keelson.rate_limiter.unlimited',
    ]);
  });

  test('follow what happens', async () => {
    const telemetry = memoryTelemetry();
    const clock = new FakeClock();
    const guard = createKeelson({ clock, meterProvider: telemetry.meterProvider }).guard('payments', FULL);
    await guard.run('charge', async () => 1);
    const failed = guard.outcome('charge', failing(9));
    await clock.advance(1_000);
    await failed;
    await guard.outcome('charge', failing(0));

    const calls = await telemetry.points('keelson.calls');
    expect(valueOf(calls, { 'keelson.outcome': 'success', 'keelson.origin': 'live' })).toBe(1);
    expect(valueOf(calls, { 'keelson.outcome': 'failure' })).toBe(1);
    expect(valueOf(calls, { 'keelson.outcome': 'rejected' })).toBe(1);
    expect(valueOf(await telemetry.points('keelson.attempts'), { 'keelson.outcome': 'failure' })).toBe(2);
    expect(valueOf(await telemetry.points('keelson.wait.time'), { 'keelson.policy.name': 'retry' })).toBe(1);
    const states = await telemetry.points('keelson.breaker.state');
    expect(valueOf(states, { 'keelson.breaker.state': 'open' })).toBe(1);
    expect(valueOf(states, { 'keelson.breaker.state': 'closed' })).toBe(0);
    const transitions = await telemetry.points('keelson.breaker.transitions');
    expect(valueOf(transitions, { 'keelson.breaker.from': 'closed', 'keelson.breaker.to': 'open' })).toBe(1);
    expect(valueOf(await telemetry.points('keelson.bulkhead.limit'), {})).toBe(5);
    expect(valueOf(await telemetry.points('keelson.bulkhead.queue.limit'), {})).toBe(7);
    const durations = await telemetry.points('keelson.call.duration');
    expect(valueOf(durations, { 'keelson.outcome': 'failure', 'error.type': 'Error' })).toMatchObject({
      count: 1,
      sum: 1,
    });
    expect(
      valueOf(durations, { 'keelson.outcome': 'success', 'keelson.operation.name': 'charge' }),
    ).toMatchObject({ count: 1 });
  });

  test('leave out what the guard does not have', async () => {
    const telemetry = memoryTelemetry();
    createKeelson({ meterProvider: telemetry.meterProvider }).guard('payments', {});
    expect(await telemetry.points('keelson.breaker.state')).toEqual([]);
    expect(await telemetry.points('keelson.bulkhead.limit')).toEqual([]);
    expect(await telemetry.points('keelson.rejections')).toEqual([]);
  });

  test('tell at most 50 error types apart', async () => {
    const telemetry = memoryTelemetry();
    const guard = createKeelson({ meterProvider: telemetry.meterProvider }).guard('payments', {});
    for (let i = 0; i < 60; i += 1) {
      await guard.outcome('charge', failing(1, Object.assign(new Error('no'), { code: `E${i}` })));
    }
    const types = (await telemetry.points('keelson.call.duration')).map(
      ({ attributes }) => attributes['error.type'],
    );
    expect(types).toHaveLength(51);
    expect(types).toContain('_OTHER');
  });
});

describe('a guard that was made before the SDK', () => {
  test('has its metrics as soon as the SDK says so, before any call', async () => {
    const guard = createKeelson().guard('early', { breaker: {} });
    const telemetry = memoryTelemetry();
    metrics.setGlobalMeterProvider(telemetry.meterProvider);
    bindSignals();
    const states = (await telemetry.points('keelson.breaker.state')).filter(
      ({ attributes }) => attributes['keelson.guard.name'] === guard.name,
    );
    expect(states).toHaveLength(5);
  });

  test('has its metrics at its next call with an SDK that does not know of it', async () => {
    const guard = createKeelson().guard('early', {});
    await guard.run('charge', async () => 1);
    const telemetry = memoryTelemetry();
    metrics.setGlobalMeterProvider(telemetry.meterProvider);
    await guard.run('charge', async () => 1);
    const mine = (await telemetry.points('keelson.calls')).filter(
      ({ attributes }) =>
        attributes['keelson.guard.name'] === 'early' && attributes['keelson.outcome'] === 'success',
    );
    expect(mine.at(-1)?.value).toBe(2);
  });

  test('moves to the next SDK when the first one is gone', async () => {
    const guard = createKeelson().guard('early', {});
    const first = memoryTelemetry();
    metrics.setGlobalMeterProvider(first.meterProvider);
    await guard.run('charge', async () => 1);
    metrics.disable();
    await guard.run('charge', async () => 1);
    const second = memoryTelemetry();
    metrics.setGlobalMeterProvider(second.meterProvider);
    await guard.run('charge', async () => 1);
    const durations = await second.points('keelson.call.duration');
    expect(valueOf(durations, { 'keelson.guard.name': 'early' })).toMatchObject({ count: 1 });
    const calls = (await first.points('keelson.calls')).filter(
      ({ attributes }) => attributes['keelson.guard.name'] === 'early',
    );
    expect(calls).toEqual([]);
  });
});
