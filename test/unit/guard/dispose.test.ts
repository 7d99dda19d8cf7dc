import { describe, expect, onTestFinished, test } from 'vitest';
import type { Guard, Keelson } from '../../../src/guard/index.ts';
import { createKeelson } from '../../../src/guard/index.ts';
import { deferred } from '../../support/deferred.ts';
import { failing } from '../../support/failing.ts';
import type { MemoryTelemetry } from '../../support/memory-telemetry.ts';
import { memoryTelemetry } from '../../support/memory-telemetry.ts';

const OPTIONS = { breaker: { failures: 1 }, bulkhead: { concurrent: 1, queue: 1 }, retry: { retries: 0 } };

function setUp(): { keelson: Keelson; telemetry: MemoryTelemetry } {
  const telemetry = memoryTelemetry();
  const { meterProvider, tracerProvider, loggerProvider } = telemetry;
  const keelson = createKeelson({ meterProvider, tracerProvider, loggerProvider });
  onTestFinished(() => keelson.dispose());
  return { telemetry, keelson };
}

/** The metrics that have a series of this guard. */
async function metricsOf(telemetry: MemoryTelemetry, guard: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await telemetry.metricNames()) {
    const points = await telemetry.points(name);
    if (points.some(({ attributes }) => attributes['keelson.guard.name'] === guard)) found.push(name);
  }
  return found;
}

describe('a guard that is disposed', () => {
  test('has no series any more, and leaves those of the others alone', async () => {
    const { keelson, telemetry } = setUp();
    const payments = keelson.guard('payments', OPTIONS);
    const other = keelson.guard('other', OPTIONS);
    await payments.run('charge', async () => 1);
    await other.run('charge', async () => 1);
    const before = await metricsOf(telemetry, 'payments');
    expect(before).toEqual(await metricsOf(telemetry, 'other'));
    expect(before).toContain('keelson.call.duration');
    payments.dispose();
    payments.dispose();
    expect(await metricsOf(telemetry, 'payments')).toEqual([]);
    expect(await metricsOf(telemetry, 'other')).toEqual(before);
    expect(keelson.guards()).toEqual([other]);
    expect(keelson.registry().map(({ name }) => name)).toEqual(['other']);
  });

  test('goes on to guard the calls of those who hold it, with spans and events, and comes back into no metric', async () => {
    const { keelson, telemetry } = setUp();
    const payments = keelson.guard('payments', OPTIONS);
    const events: string[] = [];
    payments.on(({ type }) => events.push(type));
    payments.dispose();
    expect(await payments.run('charge', async () => 1)).toBe(1);
    expect(await payments.outcome('charge', failing(1))).toMatchObject({ outcome: 'failure' });
    expect(await payments.outcome('charge', failing(0))).toMatchObject({ error: { reason: 'open' } });
    expect(await payments.for('a').run('charge', async () => 2)).toBe(2);
    payments.update({ bulkhead: { concurrent: 3 } });
    expect(await payments.run('charge', async () => 3)).toBe(3);
    expect(payments.snapshot()).toMatchObject({
      calls: { success: 3, failure: 1, rejected: 1 },
      bulkhead: { limit: 3 },
    });
    expect(payments.describe()).toContain('payments');
    expect(events).toContain('breaker.transition');
    telemetry.expectCalls(5, { guard: 'payments' });
    expect(await telemetry.metricNames()).toEqual([]);
  });

  test('ends its running and waiting calls as it would have', async () => {
    const { keelson, telemetry } = setUp();
    const payments = keelson.guard('payments', OPTIONS);
    const gate = deferred<string>();
    const running = payments.outcome('charge', () => gate.promise);
    const waiting = payments.outcome('charge', async () => 'waited');
    payments.dispose();
    gate.resolve('done');
    expect(await running).toMatchObject({ outcome: 'success', value: 'done' });
    expect(await waiting).toMatchObject({ outcome: 'success', value: 'waited' });
    expect(payments.snapshot().inFlight).toBe(0);
    expect(await telemetry.metricNames()).toEqual([]);
  });

  test('leaves its name to a guard with other options, that begins at 0 and has no series of the old one', async () => {
    const { keelson, telemetry } = setUp();
    const old = keelson.guard('payments', OPTIONS);
    await old.outcome('charge', failing(1));
    expect(await metricsOf(telemetry, 'payments')).toContain('keelson.bulkhead.active');
    old.dispose();
    const next = keelson.guard('payments', { timeout: { attempt: '1s' }, strict: true });
    expect(next).not.toBe(old);
    old.dispose();
    expect(keelson.guard('payments')).toBe(next);
    expect(await telemetry.value('keelson.attempts', { 'keelson.outcome': 'failure' })).toBe(0);
    const metrics = await metricsOf(telemetry, 'payments');
    expect(metrics).toContain('keelson.calls');
    expect(metrics.filter((name) => /bulkhead|breaker/.test(name))).toEqual([]);
  });

  test('is disposed at the end of its block by using', () => {
    const { keelson } = setUp();
    {
      using payments = keelson.guard('payments', {});
      expect(keelson.guards()).toEqual([payments]);
    }
    expect(keelson.guards()).toEqual([]);
  });
});

test('an update takes the series of a policy that is gone out of the metrics', async () => {
  const { keelson, telemetry } = setUp();
  const payments = keelson.guard('payments', OPTIONS);
  expect(await telemetry.metricNames()).toContain('keelson.bulkhead.limit');
  payments.update({ breaker: OPTIONS.breaker });
  const names = await telemetry.metricNames();
  expect(names.filter((name) => name.includes('bulkhead'))).toEqual([]);
  expect(names).toContain('keelson.breaker.state');
});

describe('the guard of a key that is disposed', () => {
  function keyed(): { guard: Guard; a: Guard } {
    const guard = setUp().keelson.guard('payments', { breaker: { failures: 1 } });
    return { guard, a: guard.for('a') };
  }

  test('forgets that key alone', async () => {
    const { guard, a } = keyed();
    await a.outcome('charge', failing(1));
    await guard.for('b').outcome('charge', failing(1));
    a.dispose();
    expect(guard.for('a')).not.toBe(a);
    expect(guard.for('a').breaker?.state).toBe('closed');
    expect(guard.for('b').breaker?.state).toBe('open');
    expect(guard.snapshot()).toMatchObject({ keys: 2, calls: { failure: 2 } });
  });

  test('does nothing the second time, when the key has a guard again', () => {
    const { guard, a } = keyed();
    a[Symbol.dispose]();
    const next = guard.for('a');
    a.dispose();
    expect(guard.for('a')).toBe(next);
    expect(guard.snapshot().keys).toBe(1);
  });

  test('goes on to guard the calls of those who hold it', async () => {
    const { guard, a } = keyed();
    a.dispose();
    await a.outcome('charge', failing(1));
    expect(await a.outcome('charge', failing(0))).toMatchObject({ error: { reason: 'open' } });
    expect(guard.snapshot().calls).toMatchObject({ failure: 1, rejected: 1 });
  });
});

describe('an instance that is disposed', () => {
  test('has neither guards nor series, and can make new ones', async () => {
    const { keelson, telemetry } = setUp();
    const { execute } = keelson.observe({ execute: async () => 7 }, { name: 'observed' });
    const old = keelson.guard('payments', OPTIONS);
    expect((await telemetry.metricNames()).length).toBeGreaterThan(5);
    keelson.dispose();
    keelson[Symbol.dispose]();
    expect(await telemetry.metricNames()).toEqual([]);
    expect(await execute()).toBe(7);
    expect(await old.run('charge', async () => 1)).toBe(1);
    expect(keelson.guard('payments', {})).not.toBe(old);
    expect(await metricsOf(telemetry, 'payments')).toContain('keelson.calls');
    expect(await metricsOf(telemetry, 'observed')).toEqual([]);
  });
});
