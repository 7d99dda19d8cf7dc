import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import type { Guard, GuardOptions } from '../../../src/guard/index.ts';
import { FakeClock, seededRandom } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';
import { failing } from '../../support/failing.ts';
import { TELEMETRY_MODES } from '../../support/telemetry-modes.ts';

const NO_JITTER = { delay: '1s', jitter: 0 } as const;

describe.each(TELEMETRY_MODES)('a guard with limits, %s', (_mode, makeKeelson) => {
  function setUp(options: GuardOptions): { guard: Guard; clock: FakeClock } {
    const clock = new FakeClock();
    return { clock, guard: makeKeelson({ clock, random: seededRandom(1) }).guard('payments', options) };
  }

  describe('with a bulkhead', () => {
    test('runs so many at once, queues so many, and refuses the rest', async () => {
      const { guard } = setUp({ bulkhead: { concurrent: 2, queue: 1 } });
      const gates = [deferred<number>(), deferred<number>(), deferred<number>()];
      const runs = gates.map((gate) => guard.run('charge', () => gate.promise));
      expect(guard.snapshot().bulkhead).toEqual({ active: 2, limit: 2, queued: 1, queueLimit: 1 });
      await expect(guard.run('charge', failing(0))).rejects.toMatchObject({
        code: 'ERR_KEELSON_BULKHEAD_FULL',
        reason: 'full',
      });
      for (const [index, gate] of gates.entries()) gate.resolve(index);
      await expect(Promise.all(runs)).resolves.toEqual([0, 1, 2]);
      expect(guard.snapshot().bulkhead).toMatchObject({ active: 0, queued: 0 });
    });

    test('serves the queue in order', async () => {
      const { guard } = setUp({ bulkhead: { concurrent: 1, queue: 10 } });
      const order: number[] = [];
      await Promise.all([1, 2, 3, 4].map((number) => guard.run('charge', async () => order.push(number))));
      expect(order).toEqual([1, 2, 3, 4]);
    });

    test('runs a queued call in the async context of its own caller', async () => {
      const { guard } = setUp({ bulkhead: { concurrent: 1, queue: 10 } });
      const storage = new AsyncLocalStorage<string>();
      const seen: string[] = [];
      const callers = ['A', 'B', 'C'].map((caller) =>
        storage.run(caller, () =>
          guard.run('charge', async () => {
            seen.push(`${caller}${storage.getStore()}`);
            await Promise.resolve();
          }),
        ),
      );
      await Promise.all(callers);
      expect(seen).toEqual(['AA', 'BB', 'CC']);
    });

    test('takes a call out of the queue as soon as its caller aborts', async () => {
      const { guard } = setUp({ bulkhead: { concurrent: 1, queue: 1 } });
      const gate = deferred<string>();
      const running = guard.run('charge', () => gate.promise);
      const controller = new AbortController();
      const fn = failing(0);
      const queued = guard.outcome('charge', fn, { signal: controller.signal });
      controller.abort(new Error('left'));
      expect(await queued).toMatchObject({ outcome: 'cancelled', attempts: 0 });
      const next = guard.run('charge', failing(0));
      gate.resolve('done');
      await expect(Promise.all([running, next])).resolves.toEqual(['done', 'ok']);
      expect(fn.executions).toBe(0);
    });

    test('refuses a call that waited too long for its slot', async () => {
      const { guard, clock } = setUp({ bulkhead: { concurrent: 1, queue: 1, queueTimeout: '100ms' } });
      const gate = deferred<string>();
      const running = guard.run('charge', () => gate.promise);
      const queued = guard.outcome('charge', failing(0));
      await clock.advance(100);
      expect(await queued).toMatchObject({
        outcome: 'rejected',
        error: { code: 'ERR_KEELSON_BULKHEAD_QUEUE_TIMEOUT' },
      });
      expect(guard.snapshot().rejections['bulkhead/queue_timeout']).toBe(1);
      gate.resolve('done');
      await running;
    });

    test('refuses a call whose total time ends in the queue: the function never ran', async () => {
      const { guard, clock } = setUp({ bulkhead: { concurrent: 1, queue: 1 }, timeout: { total: '1s' } });
      const fn = failing(0);
      const running = guard.outcome('charge', () => new Promise(() => {}));
      const waiting = guard.outcome('charge', fn);
      await clock.advance(1_000);
      expect(await running).toMatchObject({ outcome: 'timeout' });
      expect(await waiting).toMatchObject({
        outcome: 'rejected',
        attempts: 0,
        error: { code: 'ERR_KEELSON_DEADLINE' },
      });
      expect(fn.executions).toBe(0);
      expect(guard.snapshot()).toMatchObject({
        rejections: { 'timeout/deadline': 1 },
        bulkhead: { active: 0, queued: 0 },
      });
    });
  });

  describe('with timeouts', () => {
    test('answers at once, tells the function, and frees its slot', async () => {
      const { guard, clock } = setUp({ timeout: { attempt: '100ms' }, bulkhead: { concurrent: 1 } });
      let reason: unknown;
      const outcome = guard.outcome('charge', ({ signal }) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
        });
        return new Promise(() => {});
      });
      await clock.advance(100);
      expect(await outcome).toMatchObject({
        outcome: 'timeout',
        error: { code: 'ERR_KEELSON_TIMEOUT', scope: 'attempt', timeoutMs: 100 },
      });
      expect(reason).toMatchObject({ code: 'ERR_KEELSON_TIMEOUT' });
      expect(guard.snapshot()).toMatchObject({ abandoned: 1, bulkhead: { active: 0 }, inFlight: 0 });
    });

    test('counts a function that ignores its signal until it settles', async () => {
      const { guard, clock } = setUp({ timeout: { attempt: '100ms' } });
      const zombie = deferred<string>();
      const outcome = guard.outcome('charge', () => zombie.promise);
      await clock.advance(100);
      expect((await outcome).outcome).toBe('timeout');
      expect(guard.snapshot().abandoned).toBe(1);
      zombie.reject(new Error('nobody hears this'));
      await clock.advance(0);
      expect(guard.snapshot()).toMatchObject({ abandoned: 0, attempts: { timeout: 1, failure: 0 } });
    });

    test('gives an aborted signal to a function that asks only after the timeout', async () => {
      const { guard, clock } = setUp({ timeout: { attempt: '100ms' } });
      const gate = deferred<undefined>();
      const seen = deferred<AbortSignal>();
      const outcome = guard.outcome('charge', async (context) => {
        await gate.promise;
        seen.resolve(context.signal);
      });
      await clock.advance(100);
      await outcome;
      gate.resolve(undefined);
      expect((await seen.promise).aborted).toBe(true);
    });

    test('retries an attempt that timed out', async () => {
      const { guard, clock } = setUp({ timeout: { attempt: '100ms' }, retry: { retries: 1, ...NO_JITTER } });
      const attempts: number[] = [];
      const outcome = guard.outcome('charge', ({ attempt }) => {
        attempts.push(attempt);
        return attempt === 0 ? new Promise<string>(() => {}) : 'ok';
      });
      await clock.advance(1_100);
      expect(await outcome).toMatchObject({ outcome: 'success', attempts: 2, value: 'ok' });
      expect(attempts).toEqual([0, 1]);
    });

    test('ends everything at the total timeout', async () => {
      const { guard, clock } = setUp({ timeout: { total: '1s' }, retry: { ...NO_JITTER, delay: '100ms' } });
      const outcome = guard.outcome('charge', ({ attempt }) =>
        attempt === 0 ? Promise.reject(new Error('no')) : new Promise<string>(() => {}),
      );
      await clock.advance(1_000);
      expect(await outcome).toMatchObject({
        outcome: 'timeout',
        attempts: 2,
        durationMs: 1_000,
        error: { scope: 'total', timeoutMs: 1_000 },
      });
    });

    test('leaves no timer that would keep the process alive', async () => {
      const { guard, clock } = setUp({ timeout: { attempt: '1s', total: '30s' } });
      await guard.run('charge', async () => 1);
      expect(clock.timers.refed).toBe(0);
      expect(clock.timers.running).toBeLessThanOrEqual(1);
    });

    test('does not blame the dependency for a blocked event loop', async () => {
      const { guard, clock } = setUp({ timeout: { attempt: '100ms' } });
      const answer = deferred<string>();
      const outcome = guard.outcome('charge', () => answer.promise);
      clock.block(300);
      const turn = clock.advance(0);
      answer.resolve('it was here all the time');
      await turn;
      await clock.advance(1);
      expect(await outcome).toMatchObject({ outcome: 'success' });
    });

    test('still times out a slow dependency after a blocked event loop', async () => {
      const { guard, clock } = setUp({ timeout: { attempt: '100ms' } });
      const outcome = guard.outcome('charge', () => new Promise(() => {}));
      clock.block(300);
      await clock.advance(5);
      expect(await outcome).toMatchObject({ outcome: 'timeout' });
    });
  });

  describe('and its caller', () => {
    test('calls nothing for a signal that is aborted already', async () => {
      const { guard } = setUp({});
      const fn = failing(0);
      const outcome = await guard.outcome('charge', fn, { signal: AbortSignal.abort('too late') });
      expect(outcome).toMatchObject({ outcome: 'cancelled', error: 'too late', attempts: 0 });
      expect(fn.executions).toBe(0);
    });

    test("hands the reason of the caller's signal on, and stops listening afterwards", async () => {
      const { guard } = setUp({});
      const controller = new AbortController();
      const reason = { why: 'closed the tab' };
      let seen: unknown;
      const run = guard.run(
        'charge',
        ({ signal }) => {
          signal.addEventListener('abort', () => {
            seen = signal.reason;
          });
          return new Promise(() => {});
        },
        { signal: controller.signal },
      );
      controller.abort(reason);
      await expect(run).rejects.toBe(reason);
      expect(seen).toBe(reason);
      const listeners = trackListeners();
      await guard.run('charge', async () => 1, { signal: listeners.signal });
      expect(listeners.count()).toBe(0);
    });

    test('knows the call by a request id: its own, or one of the right form', async () => {
      const { guard } = setUp({});
      const made = await guard.outcome('charge', async ({ requestId }) => requestId);
      expect(made.requestId).toMatch(/^req_20260101_000000_[0-9a-f]{15}$/);
      expect(made.value).toBe(made.requestId);
      const taken = await guard.outcome('charge', async ({ requestId }) => requestId, {
        requestId: 'abc-123',
      });
      expect(taken).toMatchObject({ requestId: 'abc-123', value: 'abc-123' });
      const refused = await guard.outcome('charge', async () => 1, { requestId: 'line\nbreak' });
      expect(refused.requestId).toMatch(/^req_/);
    });
  });
});

function trackListeners(): { signal: AbortSignal; count: () => number } {
  const { signal } = new AbortController();
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>): void => {
    count += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
    count -= 1;
    remove(...args);
  };
  return { signal, count: () => count };
}
