import { AsyncLocalStorage } from 'node:async_hooks';
import { ConsecutiveBreaker } from 'cockatiel';
import { describe, expect, test } from 'vitest';
import type { Keelson } from '../../../../src/guard/index.ts';
import { createKeelson } from '../../../../src/guard/index.ts';
import { FakeClock, settlePromises } from '../../../../src/testing/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { failing } from '../../../support/failing.ts';

function setUp(): { keelson: Keelson; clock: FakeClock } {
  const clock = new FakeClock();
  return { clock, keelson: createKeelson({ clock, random: () => 0.5, warn: () => {} }) };
}

const never = (): Promise<never> => new Promise(() => {});

describe('a call that is interrupted', () => {
  test('between its turn and its start gives everything back', async () => {
    const { keelson, clock } = setUp();
    const guard = keelson.guard('payments', {
      bulkhead: { concurrent: 1, queue: 5 },
      breaker: {},
      rateLimit: { limit: 3, per: '1h' },
      timeout: { total: 1_000 },
    });
    const gate = deferred<string>();
    const controller = new AbortController();
    const first = guard.run('x', () => gate.promise);
    const second = guard.outcome('y', never, { signal: controller.signal });
    // One promise further than `first` itself: after the slot is granted, before the call goes on.
    void (async () => {
      await (async () => first)();
      controller.abort('left');
    })();
    await clock.advance(1);
    gate.resolve('done');
    await settlePromises();
    expect(await second).toMatchObject({ outcome: 'cancelled', error: 'left' });
    expect(guard.snapshot()).toMatchObject({ inFlight: 0, bulkhead: { active: 0, queued: 0 } });
  });

  test('in the synchronous part of its function ends as soon as that returns', async () => {
    const { keelson } = setUp();
    const guard = keelson.guard('payments', { timeout: { total: 1_000 } });
    const controller = new AbortController();
    let seen: unknown;
    const outcome = await guard.outcome(
      'x',
      ({ signal }) => {
        controller.abort('left');
        seen = signal.aborted;
        return never();
      },
      { signal: controller.signal },
    );
    expect(outcome).toMatchObject({ outcome: 'cancelled', error: 'left' });
    expect(seen).toBe(true);
    expect(guard.snapshot()).toMatchObject({ inFlight: 0, abandoned: 1 });
  });

  test('and throws an error of its own gives the reason of the signal', async () => {
    const { keelson } = setUp();
    const controller = new AbortController();
    const fn = (): never => {
      controller.abort('left');
      throw new Error('own');
    };
    const outcome = await keelson.guard('payments', {}).outcome('x', fn, { signal: controller.signal });
    expect(outcome).toMatchObject({ outcome: 'cancelled', error: 'left' });
  });

  test('by a listener of the retry does not sit out the backoff', async () => {
    const { keelson } = setUp();
    const guard = keelson.guard('payments', { retry: { delay: '30s', jitter: 0 } });
    const controller = new AbortController();
    guard.on((event) => event.type === 'retry.scheduled' && controller.abort('left'));
    const outcome = await guard.outcome('x', failing(9), { signal: controller.signal });
    expect(outcome).toMatchObject({ outcome: 'cancelled', durationMs: 0 });
  });

  test('while it waits for a decision is cancelled, whatever the breaker does meanwhile', async () => {
    const { keelson, clock } = setUp();
    const guard = keelson.guard('payments', {
      breaker: { failures: 1, successes: 1, openFor: '10s', halfOpenWait: '30s' },
    });
    await guard.outcome('x', failing(1));
    await clock.advance(10_000);
    void guard.outcome('x', never);
    const controller = new AbortController();
    const waiting = guard.outcome('x', failing(0), { signal: controller.signal });
    guard.breaker?.forceOpen();
    controller.abort('left');
    expect(await waiting).toMatchObject({ outcome: 'cancelled', error: 'left' });
    expect(guard.snapshot().rejections['breaker/forced_open']).toBe(0);
  });
});

describe('an error of an inner guard', () => {
  test('that is a rejection leaves the rate limit of the outer one alone', async () => {
    const { keelson } = setUp();
    const inner = keelson.guard('inner', { breaker: { failures: 1, openFor: '2m' } });
    const outer = keelson.guard('outer', { rateLimit: { limit: 100, per: '1s' } });
    await inner.outcome('x', failing(1));
    await outer.outcome('a', () => inner.run('x', failing(0)));
    expect(await outer.outcome('b', failing(0))).toMatchObject({ outcome: 'success' });
  });

  test('that carries a value is thrown on, and not taken for a result', async () => {
    const { keelson } = setUp();
    const inner = keelson.guard('inner', {
      failedResult: (value: string) => value === 'bad',
      fallback: {
        with: (error) => {
          throw error;
        },
      },
    });
    const outer = keelson.guard('outer', {});
    const outcome = await outer.outcome('a', () => inner.run('x', () => 'bad'));
    expect(outcome).toMatchObject({ outcome: 'failure', error: { code: 'ERR_KEELSON_FAILED_RESULT' } });
    expect(outcome).not.toHaveProperty('value');
  });
});

describe('a load that callers share', () => {
  test('is not limited by a guard around the one who asked first', async () => {
    const { keelson, clock } = setUp();
    const cached = keelson.guard('cached', { cache: { ttl: '1m', negativeTtl: '1m' } });
    const outer = keelson.guard('outer', { timeout: { attempt: 100 } });
    const slow = (): Promise<number> => new Promise((resolve) => clock.setTimer(() => resolve(7), 500));
    const impatient = outer.outcome('x', () => cached.run('get', slow, { cacheKey: 'k' }));
    await clock.advance(1);
    const patient = cached.outcome('get', async () => 8, { cacheKey: 'k' });
    await clock.advance(1_000);
    expect(await impatient).toMatchObject({ outcome: 'timeout' });
    expect(await patient).toMatchObject({ outcome: 'success', value: 7 });
    expect(cached.snapshot()).toMatchObject({ calls: { success: 1, cancelled: 1 }, inFlight: 0 });
  });

  test('retries in the background as it would by itself', async () => {
    const { keelson, clock } = setUp();
    const cached = keelson.guard('cached', {
      cache: { ttl: '1s', jitter: 0, staleWhileRevalidate: '1h' },
      retry: { retries: 2, delay: 0 },
    });
    const outer = keelson.guard('outer', { retry: { retries: 2 } });
    await cached.run('get', async () => 'old', { cacheKey: 'k' });
    await clock.advance(5_000);
    const fn = failing(2);
    await outer.run('x', () => cached.run('get', fn, { cacheKey: 'k' }));
    await clock.advance(10);
    expect(fn.executions).toBe(3);
  });

  test('says the right limit when it takes too long', async () => {
    const { keelson, clock } = setUp();
    await clock.advance(1_000_000);
    const cached = keelson.guard('cached', { cache: { ttl: '1m' }, timeout: { total: 1_000 } });
    const outcome = cached.outcome('get', never, { cacheKey: 'k' });
    await clock.advance(1_000);
    expect(await outcome).toMatchObject({ outcome: 'timeout', error: { timeoutMs: 1_000 } });
  });
});

describe('what goes on after its execution has ended', () => {
  test('is on its own: its calls retry again', async () => {
    const { keelson, clock } = setUp();
    const inner = keelson.guard('inner', { retry: { retries: 3, delay: 10, jitter: 0 } });
    const outer = keelson.guard('outer', { retry: { retries: 1 } });
    const fn = failing(9);
    const later = deferred<undefined>();
    await outer.run('start', async () => {
      void later.promise.then(() => inner.outcome('poll', fn));
      await Promise.resolve();
    });
    await clock.advance(60_000);
    later.resolve(undefined);
    await clock.advance(1_000);
    expect(fn.executions).toBe(4);
  });

  test('is on its own too if the execution was interrupted', async () => {
    const { keelson, clock } = setUp();
    const inner = keelson.guard('inner', { retry: { retries: 3, delay: 10, nested: true } });
    const outer = keelson.guard('outer', { timeout: { attempt: 100 } });
    const fn = failing(9);
    const later = deferred<undefined>();
    const run = outer.outcome('x', () => later.promise.then(() => inner.run('poll', fn)));
    await clock.advance(100);
    expect(await run).toMatchObject({ outcome: 'timeout' });
    later.resolve(undefined);
    await clock.advance(1_000);
    expect(fn.executions).toBe(4);
    expect(inner.snapshot().calls).toMatchObject({ failure: 1, cancelled: 0 });
  });
});

describe('an update', () => {
  test('reports no transition, and hears no more of the breaker before', async () => {
    const { keelson } = setUp();
    const guard = keelson.guard('payments', { breaker: { failures: 1 } });
    const transitions: string[] = [];
    guard.on((event) => event.type === 'breaker.transition' && transitions.push(`${event.from}>${event.to}`));
    const gate = deferred<string>();
    const running = guard.outcome('x', () => gate.promise);
    guard.update({ breaker: { failures: 2 } });
    gate.reject(new Error('down'));
    await running;
    expect(transitions).toEqual([]);
    guard.breaker?.forceOpen();
    guard.update({ breaker: { failures: 3 } });
    expect(guard.breaker?.state).toBe('forced_open');
    expect(transitions).toEqual(['closed>forced_open']);
  });

  test('leaves a policy whose options are the same as it is', async () => {
    const { keelson } = setUp();
    const rateLimit = { limit: 2, per: '1m' } as const;
    const breaker = { failureRate: 1, window: '10s', minimumCalls: 2 } as const;
    const guard = keelson.guard('payments', { rateLimit, bulkhead: { concurrent: 1 }, breaker });
    await guard.outcome('x', failing(1));
    const running = guard.outcome('x', never);
    guard.update({ rateLimit, bulkhead: { concurrent: 1 }, breaker, retry: { retries: 0 } });
    expect(guard.snapshot()).toMatchObject({ rateLimit: { available: 0 }, bulkhead: { active: 1 } });
    expect(await guard.outcome('x', failing(0))).toMatchObject({ error: { reason: 'rate_limited' } });
    expect(running).toBeInstanceOf(Promise);
  });
});

test('a listener that rejects later is counted, and ends nothing', async () => {
  const { keelson } = setUp();
  const guard = keelson.guard('payments', {});
  const listener: (event: unknown) => unknown = async () => {
    await Promise.resolve();
    throw new Error('a listener that rejects');
  };
  guard.on((event) => listener(event) as undefined);
  await expect(guard.run('x', failing(0))).resolves.toBe('ok');
  await settlePromises();
  expect(guard.snapshot().listenerFailures).toBe(1);
});

test('a strategy that cannot be made again does not change the result of the call that closed the circuit', async () => {
  const { keelson, clock } = setUp();
  let made = 0;
  const strategy = (): ConsecutiveBreaker => {
    made += 1;
    if (made > 1) throw new Error('a factory that throws');
    return new ConsecutiveBreaker(1);
  };
  const guard = keelson.guard('payments', { breaker: { strategy, successes: 1, openFor: 100 } });
  await guard.outcome('x', failing(1));
  await clock.advance(100);
  expect(await guard.outcome('x', failing(0))).toMatchObject({ outcome: 'success', attempts: 1 });
  expect(guard.snapshot()).toMatchObject({
    attempts: { success: 1, failure: 1 },
    breaker: { state: 'closed' },
  });
});

test('a blocked event loop is no fault of the dependency for the total limit, nor for the guard outside', async () => {
  const { keelson, clock } = setUp();
  const guard = keelson.guard('payments', { timeout: { total: 100 }, breaker: { failures: 1 } });
  const outer = keelson.guard('outer', { breaker: { failures: 1 } });
  const run = outer.outcome('x', () => guard.run('x', never));
  clock.block(5_000);
  await clock.advance(100);
  expect(await run).toMatchObject({
    outcome: 'failure',
    error: { code: 'ERR_KEELSON_EVENT_LOOP_DELAY', scope: 'total' },
  });
  expect([guard.breaker?.state, outer.breaker?.state]).toEqual(['closed', 'closed']);
});

test('a call that waits for a decision runs as soon as a trial has left its place', async () => {
  const { keelson, clock } = setUp();
  const guard = keelson.guard('payments', {
    breaker: { failures: 1, successes: 1, openFor: '10s', halfOpenWait: '30s' },
  });
  await guard.outcome('x', failing(1));
  await clock.advance(10_000);
  const controller = new AbortController();
  const trial = guard.outcome('x', never, { signal: controller.signal });
  const waiting = guard.outcome('x', failing(0));
  controller.abort('left');
  await trial;
  expect(await waiting).toMatchObject({ outcome: 'success', durationMs: 0 });
});

test('a ramp that refuses does not make the call wait for a decision', async () => {
  const { clock } = setUp();
  const guard = createKeelson({ clock, random: () => 0 }).guard('payments', {
    breaker: { failures: 1, successes: 1, openFor: '1s', ramp: '60s', halfOpenWait: '5s' },
  });
  await guard.outcome('x', failing(1));
  await clock.advance(1_000);
  await guard.outcome('x', failing(0));
  expect(await guard.outcome('x', failing(0))).toMatchObject({ outcome: 'rejected', durationMs: 0 });
});

test('what a slow call causes is told in its own async context, and an abort in that of no other call', async () => {
  const { keelson, clock } = setUp();
  const storage = new AsyncLocalStorage<string>();
  const other = keelson.guard('other', { timeout: { attempt: 20 } });
  const guard = keelson.guard('payments', {
    breaker: { slowCallRate: 1, slowCall: 30, minimumCalls: 1 },
    timeout: { attempt: 50 },
  });
  const seen: unknown[] = [];
  guard.on((event) => event.type === 'breaker.transition' && seen.push(storage.getStore()));
  void storage.run('another', () => other.outcome('x', never));
  void storage.run('mine', () =>
    guard.outcome('x', ({ signal }) => {
      signal.addEventListener('abort', () => seen.push(storage.getStore()));
      return never();
    }),
  );
  await clock.advance(100);
  expect(seen).toEqual(['mine', undefined]);
});
