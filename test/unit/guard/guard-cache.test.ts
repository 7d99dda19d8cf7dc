import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Guard, GuardOptions } from '../../../src/guard/index.ts';
import { createKeelson } from '../../../src/guard/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';
import { failing } from '../../support/failing.ts';
import type { MemoryTelemetry } from '../../support/memory-telemetry.ts';
import { installContextManager, memoryTelemetry, valueOf } from '../../support/memory-telemetry.ts';

let removeContextManager = (): void => {};
beforeAll(() => {
  removeContextManager = installContextManager();
});
afterAll(() => removeContextManager());

function setUp(options: GuardOptions): { guard: Guard; clock: FakeClock; telemetry: MemoryTelemetry } {
  const clock = new FakeClock();
  const telemetry = memoryTelemetry();
  return {
    clock,
    telemetry,
    guard: createKeelson({ clock, random: () => 0.5, ...telemetry }).guard('payments', options),
  };
}

const KEY = { cacheKey: 'k' };

describe('a guard with a cache', () => {
  test('calls the function once, and tells where a value came from and how old it is', async () => {
    const { guard, clock, telemetry } = setUp({ cache: { ttl: '1m', jitter: 0 } });
    const fn = failing(0);
    expect(await guard.outcome('list', fn, KEY)).toMatchObject({
      outcome: 'success',
      origin: 'live',
      ageMs: 0,
      attempts: 1,
    });
    await clock.advance(5_000);
    expect(await guard.outcome('list', fn, KEY)).toMatchObject({
      value: 'ok',
      origin: 'cache',
      ageMs: 5_000,
      attempts: 0,
    });
    await expect(guard.run('list', fn, KEY)).resolves.toBe('ok');
    expect(fn.executions).toBe(1);
    const calls = await telemetry.points('keelson.calls');
    expect(valueOf(calls, { 'keelson.outcome': 'success', 'keelson.origin': 'cache' })).toBe(2);
    expect(valueOf(await telemetry.points('keelson.cache.requests'), { 'keelson.cache.result': 'hit' })).toBe(
      2,
    );
    expect(valueOf(await telemetry.points('keelson.cache.entries'), {})).toBe(1);
    expect(telemetry.spans()[1]?.attributes).toMatchObject({
      'keelson.origin': 'cache',
      'keelson.attempts': 0,
    });
  });

  test('keeps operations and keys apart, more operations than it has labels for included', async () => {
    const { guard } = setUp({ cache: { ttl: '1m' } });
    for (let i = 0; i < 60; i += 1) {
      await expect(guard.run(`operation-${i}`, async () => i, KEY)).resolves.toBe(i);
      await expect(guard.run(`operation-${i}`, async () => -1, KEY)).resolves.toBe(i);
    }
    await expect(guard.run('operation-1', async () => 'other', { cacheKey: 'k2' })).resolves.toBe('other');
    await expect(guard.run('operation-1', async () => 'uncached')).resolves.toBe('uncached');
  });

  test('shares one call among all who ask at once, and links their spans to it', async () => {
    const { guard, telemetry } = setUp({ cache: { ttl: '1m' } });
    const gate = deferred<string>();
    let executions = 0;
    const fn = (): Promise<string> => {
      executions += 1;
      return gate.promise;
    };
    const runs = [1, 2, 3].map(() => guard.outcome('list', fn, KEY));
    gate.resolve('shared');
    expect((await Promise.all(runs)).map(({ value }) => value)).toEqual(['shared', 'shared', 'shared']);
    expect(executions).toBe(1);
    const [leader, ...followers] = telemetry.spans();
    expect(leader?.links).toEqual([]);
    for (const follower of followers) {
      expect(follower.links.map((link) => link.context.spanId)).toEqual([leader?.spanContext().spanId]);
    }
    expect(guard.snapshot()).toMatchObject({ calls: { success: 3 }, attempts: { success: 1 }, inFlight: 0 });
  });

  test('goes on for those who wait when the one who asked first has gone', async () => {
    const { guard } = setUp({ cache: { ttl: '1m' } });
    const gate = deferred<string>();
    const controller = new AbortController();
    const first = guard.outcome('list', () => gate.promise, { ...KEY, signal: controller.signal });
    const second = guard.outcome('list', () => gate.promise, KEY);
    controller.abort('left');
    expect(await first).toMatchObject({ outcome: 'cancelled', error: 'left' });
    gate.resolve('here');
    expect(await second).toMatchObject({ outcome: 'success', value: 'here' });
  });

  test('gives a stale value in place of an error, with the error behind it', async () => {
    const { guard, clock, telemetry } = setUp({
      cache: { ttl: '1m', jitter: 0, staleIfError: '1h' },
      breaker: { failures: 1 },
    });
    await guard.run('list', failing(0), KEY);
    await clock.advance(120_000);
    const error = new TypeError('down');
    const stale = await guard.outcome('list', failing(9, error), KEY);
    expect(stale).toMatchObject({
      outcome: 'success',
      origin: 'stale',
      value: 'ok',
      ageMs: 120_000,
      error,
      attempts: 1,
    });
    expect(telemetry.spans().at(-1)?.attributes).toMatchObject({
      'keelson.origin': 'stale',
      'error.type': 'TypeError',
    });
    await clock.advance(2_000);
    expect(await guard.outcome('list', failing(0), KEY)).toMatchObject({
      origin: 'stale',
      error: { reason: 'open' },
    });
    expect(guard.snapshot()).toMatchObject({
      calls: { success: 3, failure: 0, rejected: 0 },
      origins: { stale: 2, live: 1 },
    });
  });

  test('refreshes a stale value in the background, with a span of its own that links to the call', async () => {
    const { guard, clock, telemetry } = setUp({
      cache: { ttl: '1m', jitter: 0, staleWhileRevalidate: '1h' },
    });
    await guard.run('list', async () => 'old', KEY);
    await clock.advance(120_000);
    const stale = await guard.outcome('list', async () => 'new', KEY);
    expect(stale).toMatchObject({ value: 'old', origin: 'stale', attempts: 0 });
    await clock.advance(0);
    expect(await guard.outcome('list', failing(9), KEY)).toMatchObject({ value: 'new', origin: 'cache' });
    const [, first, second] = telemetry.spans();
    const [call, refresh] =
      first?.attributes['keelson.origin'] === 'stale' ? [first, second] : [second, first];
    expect(refresh?.links.map((link) => link.context.spanId)).toEqual([call?.spanContext().spanId]);
    expect(guard.snapshot()).toMatchObject({ calls: { success: 3 }, attempts: { success: 2 }, inFlight: 0 });
  });

  test('keeps no error, and no value that counts as a failure', async () => {
    const { guard } = setUp({
      cache: { ttl: '1m' },
      failedResult: (value: { status: number }) => value.status >= 500,
    });
    expect(await guard.outcome('list', failing(9), KEY)).toMatchObject({ outcome: 'failure' });
    expect(await guard.outcome('list', async () => ({ status: 500 }), KEY)).toMatchObject({
      outcome: 'failure',
      value: { status: 500 },
    });
    expect(await guard.outcome('list', async () => ({ status: 200 }), KEY)).toMatchObject({
      origin: 'live',
      value: { status: 200 },
    });
  });

  test('tells every follower how the shared call ended', async () => {
    const { guard, clock } = setUp({ cache: { ttl: '1m' }, timeout: { attempt: '1s' } });
    const runs = [1, 2].map(() => guard.outcome('list', () => new Promise(() => {}), KEY));
    await clock.advance(1_000);
    expect((await Promise.all(runs)).map(({ outcome }) => outcome)).toEqual(['timeout', 'timeout']);
    expect(guard.snapshot()).toMatchObject({ calls: { timeout: 2 }, attempts: { timeout: 1 } });
  });
});

describe('a guard with a fallback', () => {
  test('gives the value in place of an error, as a success with its origin', async () => {
    const { guard, telemetry } = setUp({ fallback: { value: [] } });
    const error = new TypeError('down');
    expect(await guard.outcome('list', failing(1, error))).toMatchObject({
      outcome: 'success',
      origin: 'fallback',
      value: [],
      error,
      attempts: 1,
    });
    await expect(guard.run('list', failing(1))).resolves.toEqual([]);
    const calls = await telemetry.points('keelson.calls');
    expect(valueOf(calls, { 'keelson.outcome': 'success', 'keelson.origin': 'fallback' })).toBe(2);
    expect(valueOf(await telemetry.points('keelson.attempts'), { 'keelson.outcome': 'failure' })).toBe(2);
    expect(telemetry.spans()[0]).toMatchObject({
      status: { code: 0 },
      attributes: { 'error.type': 'TypeError' },
    });
  });

  test('tells the function the error and the call, also for one that was rejected', async () => {
    const seen: unknown[] = [];
    const { guard } = setUp({
      breaker: {},
      fallback: { with: (error, context) => seen.push(error, context) },
    });
    guard.breaker?.forceOpen();
    await guard.run('list', failing(0), { requestId: 'r1' });
    expect(seen).toEqual([
      expect.objectContaining({ reason: 'forced_open' }),
      { outcome: 'rejected', operation: 'list', requestId: 'r1', attempts: 0 },
    ]);
  });

  test('leaves alone what is not for it: other errors, and callers that have gone', async () => {
    const { guard } = setUp({ fallback: { value: 'instead', when: (error) => error instanceof TypeError } });
    await expect(guard.run('list', failing(1, new RangeError('other')))).rejects.toThrow('other');
    const cancelled = await guard.outcome('list', failing(0), { signal: AbortSignal.abort('left') });
    expect(cancelled).toMatchObject({ outcome: 'cancelled', error: 'left' });
  });

  test('speaks only after a stale value, and is never cached', async () => {
    const { guard, clock } = setUp({
      cache: { ttl: '1m', jitter: 0, staleIfError: '1h' },
      fallback: { value: 'instead' },
    });
    expect(await guard.outcome('list', failing(1), KEY)).toMatchObject({
      origin: 'fallback',
      value: 'instead',
    });
    expect(await guard.outcome('list', failing(0), KEY)).toMatchObject({ origin: 'live', value: 'ok' });
    await clock.advance(120_000);
    expect(await guard.outcome('list', failing(9), KEY)).toMatchObject({ origin: 'stale', value: 'ok' });
  });
});
