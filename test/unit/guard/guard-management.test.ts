import { describe, expect, test } from 'vitest';
import type { Guard, GuardOptions } from '../../../src/guard/index.ts';
import { createKeelson } from '../../../src/guard/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';
import { failing } from '../../support/failing.ts';
import { memoryTelemetry } from '../../support/memory-telemetry.ts';

function setUp(options: GuardOptions): { guard: Guard; clock: FakeClock } {
  const clock = new FakeClock();
  return {
    clock,
    guard: createKeelson({ clock, random: () => 0.5, warn: () => {} }).guard('payments', options),
  };
}

describe('a guard with a rate limit', () => {
  test('refuses what is beyond it, and says when to come back', async () => {
    const { guard, clock } = setUp({ rateLimit: { limit: 2, per: '1s' } });
    const outcomes = await Promise.all([1, 2, 3].map(() => guard.outcome('list', failing(0))));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['success', 'success', 'rejected']);
    expect(outcomes[2]?.error).toMatchObject({
      code: 'ERR_KEELSON_RATE_LIMITED',
      reason: 'rate_limited',
      retryAfterMs: 1_000,
    });
    await clock.advance(1_000);
    expect(await guard.outcome('list', failing(0))).toMatchObject({ outcome: 'success' });
    expect(guard.snapshot()).toMatchObject({
      rejections: { 'rate_limit/rate_limited': 1 },
      rateLimit: { limit: 2, available: 1, pausedMs: 0 },
    });
  });

  test('lets calls wait, and gives the token of one that leaves to the next', async () => {
    const { guard, clock } = setUp({ rateLimit: { limit: 1, per: '1s', maxWait: '10s' } });
    await guard.run('list', failing(0));
    const controller = new AbortController();
    const leaving = guard.outcome('list', failing(0), { signal: controller.signal });
    const staying = guard.outcome('list', failing(0));
    controller.abort('left');
    expect(await leaving).toMatchObject({ outcome: 'cancelled' });
    await clock.advance(1_000);
    expect(await staying).toMatchObject({ outcome: 'success', durationMs: 1_000 });
  });

  test('takes a token for every attempt, and slows down for all when the server asks for it', async () => {
    const { guard, clock } = setUp({ rateLimit: { limit: 10, per: '1s' }, retry: { retries: 1, delay: 0 } });
    const busy = Object.assign(new Error('429'), { response: { headers: { 'retry-after': '5' } } });
    const first = guard.outcome('list', failing(1, busy));
    expect(await guard.outcome('list', failing(0))).toMatchObject({ outcome: 'success' });
    await clock.advance(0);
    expect(await guard.outcome('list', failing(0))).toMatchObject({
      outcome: 'rejected',
      error: { retryAfterMs: 5_000 },
    });
    await clock.advance(5_000);
    expect(await first).toMatchObject({ outcome: 'success', attempts: 2 });
  });

  test('gives its token back where the bulkhead then refuses', async () => {
    const { guard } = setUp({ rateLimit: { limit: 2, per: '1h' }, bulkhead: { concurrent: 1 } });
    const gate = deferred<string>();
    const running = guard.outcome('list', () => gate.promise);
    expect(await guard.outcome('list', failing(0))).toMatchObject({ error: { reason: 'full' } });
    gate.resolve('done');
    await running;
    expect(await guard.outcome('list', failing(0))).toMatchObject({ outcome: 'success' });
    expect(await guard.outcome('list', failing(0))).toMatchObject({ error: { reason: 'rate_limited' } });
  });
});

describe('a guard for each key', () => {
  test('has a breaker and slots of its own, and counts under the one name', async () => {
    const { guard } = setUp({ breaker: { failures: 1 }, keys: { max: 10 } });
    await guard.for('a').outcome('list', failing(1));
    expect(guard.for('a').breaker?.state).toBe('open');
    expect(guard.for('b').breaker?.state).toBe('closed');
    expect(guard.breaker?.state).toBe('closed');
    expect(await guard.for('b').outcome('list', failing(0))).toMatchObject({ outcome: 'success' });
    expect(guard.snapshot()).toMatchObject({ calls: { success: 1, failure: 1 }, keys: 2 });
    expect(guard.for('a')).toBe(guard.for('a'));
    expect(guard.for('a').for('b')).toBe(guard.for('b'));
  });

  test('forgets the key that was not used for the longest time', () => {
    const { guard } = setUp({ breaker: {}, keys: { max: 2 } });
    const a = guard.for('a');
    guard.for('b');
    guard.for('a');
    guard.for('c');
    expect(guard.for('a')).toBe(a);
    expect(guard.snapshot().keys).toBe(2);
  });

  test('tells its listeners which key it was, and keeps keys out of the labels', async () => {
    const telemetry = memoryTelemetry();
    const guard = createKeelson({ meterProvider: telemetry.meterProvider }).guard('payments', {
      breaker: { failures: 1 },
    });
    const keys: unknown[] = [];
    guard.on((event) => event.type === 'breaker.transition' && keys.push(event.key));
    await guard.for('tenant-7').outcome('list', failing(1));
    expect(keys).toEqual(['tenant-7']);
    const points = await telemetry.points('keelson.breaker.transitions');
    expect(JSON.stringify(points)).not.toContain('tenant-7');
    const states = await telemetry.points('keelson.guard.keys');
    expect(states.find(({ attributes }) => attributes['keelson.breaker.state'] === 'open')?.value).toBe(1);
  });

  test.each(['', 'x'.repeat(201), 7, undefined])('refuses the key %j', (key) => {
    expect(() => setUp({}).guard.for(key as string)).toThrow(
      /Expected the key to be a string of 1 to 200 characters/,
    );
  });

  test('starts no timer for a key', () => {
    const { guard, clock } = setUp({
      breaker: {},
      bulkhead: { queue: 1, queueTimeout: '1s' },
      retry: {},
      timeout: { total: '1s' },
    });
    for (let i = 0; i < 1_000; i += 1) guard.for(`key-${i}`);
    expect(clock.timers.running).toBe(0);
  });
});

describe('changing a guard while it runs', () => {
  test('keeps its counters and the state of its breaker, and leaves running calls alone', async () => {
    const { guard, clock } = setUp({ breaker: { failures: 1, openFor: '10s' }, timeout: { attempt: '1s' } });
    const gate = deferred<string>();
    const running = guard.outcome('list', () => gate.promise);
    await guard.outcome('list', failing(1));
    guard.update({ breaker: { failures: 9, openFor: '1m' }, bulkhead: { concurrent: 3 } });
    expect(guard.snapshot()).toMatchObject({
      calls: { failure: 1 },
      breaker: { state: 'open' },
      bulkhead: { limit: 3 },
    });
    gate.resolve('under the old options');
    expect(await running).toMatchObject({ outcome: 'success' });
    await clock.advance(10_000);
    expect(await guard.outcome('list', failing(0))).toMatchObject({ outcome: 'success' });
  });

  test('keeps what the cache holds, under the new options', async () => {
    const { guard, clock } = setUp({ cache: { ttl: '1h', jitter: 0 } });
    await guard.run('list', async () => 'kept', { cacheKey: 'k' });
    guard.update({ cache: { ttl: '1m', jitter: 0 } });
    expect(await guard.outcome('list', failing(0), { cacheKey: 'k' })).toMatchObject({
      value: 'kept',
      origin: 'cache',
    });
    expect(guard.snapshot().cache).toMatchObject({ entries: 1, requests: { hit: 1, miss: 1 } });
    await clock.advance(1);
  });

  test('refuses options that cannot be used, and changes nothing then', () => {
    const { guard } = setUp({ bulkhead: { concurrent: 3 } });
    expect(() => guard.update({ bulkhead: { concurrent: 0 } })).toThrow(/bulkhead.concurrent/);
    expect(guard.snapshot().bulkhead?.limit).toBe(3);
  });

  test('shows the new numbers, and not the old ones beside them', async () => {
    const telemetry = memoryTelemetry();
    const guard = createKeelson({ meterProvider: telemetry.meterProvider }).guard('payments', {
      bulkhead: { concurrent: 3 },
    });
    guard.update({ bulkhead: { concurrent: 5 }, breaker: {} });
    expect((await telemetry.points('keelson.bulkhead.limit')).map(({ value }) => value)).toEqual([5]);
    expect(await telemetry.points('keelson.breaker.state')).toHaveLength(5);
  });

  test('can switch every policy off, and on again', async () => {
    const { guard } = setUp({ breaker: {}, retry: { retries: 3 } });
    guard.breaker?.forceOpen();
    guard.disable();
    const fn = failing(1);
    expect(await guard.outcome('list', fn)).toMatchObject({ outcome: 'failure', attempts: 1 });
    expect(guard.snapshot()).toMatchObject({ enabled: false, calls: { failure: 1 } });
    expect(guard.describe()).toMatch(/^payments \(switched off/);
    guard.enable();
    expect(await guard.outcome('list', fn)).toMatchObject({ outcome: 'rejected' });
  });
});

describe('what a guard says about itself', () => {
  test('is the order in force, outermost first', () => {
    const { guard } = setUp({
      fallback: { value: 0 },
      cache: { ttl: '1h' },
      timeout: { attempt: '10s', total: '1m' },
      retry: { retries: 3 },
      breaker: { failureRate: 0.5, window: '10s' },
      rateLimit: { limit: 60, per: '1m' },
      bulkhead: { concurrent: 10, queue: 20 },
    });
    expect(
      guard
        .describe()
        .split('\n')
        .map((line) => line.trim().split(':')[0]),
    ).toEqual([
      'payments',
      'fallback',
      'cache',
      'total timeout',
      'retry',
      'breaker check',
      'rate limit',
      'bulkhead',
      'breaker permit',
      'attempt timeout',
      'call',
    ]);
    expect(guard.describe()).toContain('opens at 50 % failures in 10s');
  });

  test('counts in words that fit the number', () => {
    const one = setUp({
      cache: { ttl: '1h', maxEntries: 1 },
      retry: { retries: 1 },
      breaker: { failures: 1 },
    }).guard.describe();
    expect(one).toContain('at most 1 key\n');
    expect(one).toContain('retry: 1 time,');
    expect(one).toContain('opens at 1 failure, for');
    const more = setUp({
      cache: { ttl: '1h', maxEntries: 2 },
      retry: { retries: 2 },
      breaker: { failures: 2 },
    }).guard.describe();
    expect(more).toContain('at most 2 keys\n');
    expect(more).toContain('retry: 2 times,');
    expect(more).toContain('opens at 2 failures in a row, for');
    expect(setUp({ breaker: { failureRate: 1, window: 1, minimumCalls: 1 } }).guard.describe()).toContain(
      '100 % failures in 1 call,',
    );
  });

  test('lists every guard of the instance', () => {
    const keelson = createKeelson();
    keelson.guard('a', {});
    keelson.guard('b', { breaker: {} });
    expect(keelson.registry()).toMatchObject([{ name: 'a' }, { name: 'b', breaker: { state: 'closed' } }]);
  });
});

describe('options that do not fit together', () => {
  test.each<[GuardOptions, string | undefined]>([
    [
      { timeout: { attempt: '5s', total: '5s' } },
      'timeout.attempt (5s) is never reached within timeout.total (5s)',
    ],
    [
      { timeout: { attempt: '5s', total: '10s' }, retry: { retries: 3 } },
      '4 attempts of 5s do not fit into timeout.total (10s)',
    ],
    [{ timeout: { total: '1s' }, retry: { delay: '1s' } }, 'retry.delay (1s) leaves no room for a retry'],
    [
      { timeout: { total: '1s' }, bulkhead: { queue: 1, queueTimeout: '1s' } },
      'bulkhead.queueTimeout (1s) is never reached',
    ],
    [
      { timeout: { total: '1s' }, rateLimit: { limit: 1, per: '1s', maxWait: '2s' } },
      'rateLimit.maxWait (2s) is never reached',
    ],
    [{ breaker: { failureRate: 0.5, window: 10, minimumCalls: 20 } }, 'the circuit cannot open'],
    [
      { breaker: { slowCallRate: 0.5, slowCall: '2s' }, timeout: { attempt: '1s' } },
      'the circuit cannot open',
    ],
    [{ breaker: { slowCall: '2s' } }, 'breaker.slowCall does nothing without breaker.slowCallRate'],
    [
      { breaker: { openFor: '1s' }, timeout: { attempt: '2s' } },
      'trials are given up before they can answer',
    ],
    [{ retry: { nested: true } }, 'retry.nested multiplies retries'],
    [
      { timeout: { attempt: '2s', total: '10s' }, retry: { retries: 3 }, breaker: { failureRate: 0.5 } },
      undefined,
    ],
    [{ retry: {}, breaker: {}, bulkhead: {}, timeout: {}, cache: { ttl: '1s' } }, undefined],
  ])('are told when the guard is made, and are errors where it is strict: %j', (options, expected) => {
    const warnings: string[] = [];
    const make = (strict: boolean): Guard =>
      createKeelson({ warn: (message) => warnings.push(message) }).guard('payments', { ...options, strict });
    make(false);
    expect(warnings.map((warning) => warning.startsWith('guard "payments": '))).toEqual(
      expected === undefined ? [] : [true],
    );
    expect(warnings.join()).toContain(expected ?? '');
    const strict = (): Guard => make(true);
    expect(expected === undefined ? strict().name : strict).toSatisfy(
      (made: unknown) => typeof made === 'string' || throwsConfigError(made as () => Guard),
    );
  });
});

function throwsConfigError(make: () => Guard): boolean {
  try {
    make();
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ERR_KEELSON_CONFIG';
  }
}

test('a function that is left behind without asking for its signal is told once for its operation', async () => {
  const telemetry = memoryTelemetry();
  const clock = new FakeClock();
  const { loggerProvider } = telemetry;
  const guard = createKeelson({ clock, loggerProvider }).guard('payments', { timeout: { attempt: '1s' } });
  const deaf = [1, 2].map(() => guard.outcome('list', () => new Promise(() => {})));
  const listening = guard.outcome('pay', ({ signal }) => new Promise(() => signal.aborted));
  await clock.advance(1_000);
  await Promise.all([...deaf, listening]);
  const told = telemetry.logRecords().filter(({ eventName }) => eventName === 'keelson.signal.ignored');
  expect(told.map(({ attributes }) => attributes['keelson.operation.name'])).toEqual(['list']);
});
