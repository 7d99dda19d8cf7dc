import { describe, expect, test } from 'vitest';
import type { Guard, GuardOptions } from '../../../src/guard/index.ts';
import { FakeClock, seededRandom } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';
import { failing } from '../../support/failing.ts';
import { TELEMETRY_MODES } from '../../support/telemetry-modes.ts';

const NO_JITTER = { delay: '1s', jitter: 0 } as const;

describe.each(TELEMETRY_MODES)('a guard %s', (_mode, makeKeelson) => {
  function setUp(options: GuardOptions): { guard: Guard; clock: FakeClock } {
    const clock = new FakeClock();
    return { clock, guard: makeKeelson({ clock, random: seededRandom(1) }).guard('payments', options) };
  }

  describe('without policies', () => {
    test('gives the value of the function', async () => {
      const { guard } = setUp({});
      await expect(guard.run('charge', async () => 42)).resolves.toBe(42);
      expect(guard.snapshot()).toMatchObject({
        calls: { success: 1 },
        attempts: { success: 1 },
        inFlight: 0,
      });
    });

    test('gives a value that is no promise, and that of a thenable', async () => {
      const { guard } = setUp({});
      await expect(guard.run('charge', () => 'plain')).resolves.toBe('plain');
      const thenable = { then: (resolve: (value: string) => void) => resolve('thenable') };
      await expect(guard.run('charge', () => thenable as PromiseLike<string>)).resolves.toBe('thenable');
    });

    test('throws what the function throws, even where that is no error', async () => {
      const { guard } = setUp({});
      const error = new TypeError('no');
      await expect(guard.run('charge', async () => Promise.reject(error))).rejects.toBe(error);
      await expect(guard.run('charge', async () => Promise.reject('a string'))).rejects.toBe('a string');
      await expect(guard.run('charge', async () => Promise.reject(undefined))).rejects.toBe(undefined);
      expect(guard.snapshot().calls.failure).toBe(3);
    });

    test('takes a synchronous throw as a failure', async () => {
      const { guard } = setUp({});
      const error = new Error('at once');
      const run = guard.run('charge', () => {
        throw error;
      });
      await expect(run).rejects.toBe(error);
      expect(guard.snapshot()).toMatchObject({
        calls: { failure: 1 },
        attempts: { failure: 1 },
        inFlight: 0,
      });
    });

    test('refuses arguments of the wrong type and calls nothing', async () => {
      const { guard } = setUp({});
      await expect(guard.run('', async () => 1)).rejects.toMatchObject({ code: 'ERR_KEELSON_CONFIG' });
      await expect(guard.run('charge', 7 as never)).rejects.toThrow(
        /Expected `fn` to be a function, got 7 \(number\)/,
      );
      await expect(guard.outcome('', async () => 1)).rejects.toMatchObject({ code: 'ERR_KEELSON_CONFIG' });
      expect(guard.snapshot().attempts.success).toBe(0);
    });
  });

  describe('with retries', () => {
    test('makes n retries: n + 1 executions', async () => {
      const { guard, clock } = setUp({ retry: { retries: 2, ...NO_JITTER } });
      const error = new Error('always');
      const fn = failing(99, error);
      const run = guard.run('charge', fn);
      const settled = expect(run).rejects.toBe(error);
      await clock.advance(10_000);
      await settled;
      expect(fn.executions).toBe(3);
      expect(guard.snapshot()).toMatchObject({
        calls: { failure: 1, success: 0 },
        attempts: { failure: 3 },
        retries: 2,
      });
    });

    test('stops at the first success, and waits in between', async () => {
      const { guard, clock } = setUp({ retry: { retries: 5, ...NO_JITTER } });
      const fn = failing(2);
      const outcome = guard.outcome('charge', fn);
      await clock.advance(999);
      expect(fn.executions).toBe(1);
      await clock.advance(1);
      expect(fn.executions).toBe(2);
      await clock.advance(2_000);
      await expect(outcome).resolves.toMatchObject({
        outcome: 'success',
        value: 'ok',
        attempts: 3,
        durationMs: 3_000,
      });
    });

    test('does not retry what retryIf refuses, and says so', async () => {
      const { guard } = setUp({ retry: { retryIf: (error) => error instanceof TypeError } });
      const outcome = await guard.outcome('charge', failing(1));
      expect(outcome).toMatchObject({
        outcome: 'failure',
        attempts: 1,
        suppressed: { policy: 'retry', reason: 'not_retryable' },
      });
      expect(guard.snapshot().suppressed['not_retryable']).toBe(1);
    });

    test('takes a retryIf that throws as a no, and the error of the function stands', async () => {
      const error = new Error('the real one');
      const { guard } = setUp({
        retry: {
          retryIf: () => {
            throw new Error('a filter that throws');
          },
        },
      });
      await expect(guard.run('charge', failing(1, error))).rejects.toBe(error);
    });

    test('starts no retry that the total timeout would end', async () => {
      const { guard } = setUp({ retry: { ...NO_JITTER }, timeout: { total: '900ms' } });
      const outcome = await guard.outcome('charge', failing(9));
      expect(outcome).toMatchObject({ outcome: 'failure', attempts: 1, suppressed: { reason: 'deadline' } });
      expect(guard.snapshot().suppressed['deadline']).toBe(1);
    });

    test('ends the wait when the caller aborts, and does not call the function again', async () => {
      const { guard, clock } = setUp({ retry: { ...NO_JITTER } });
      const controller = new AbortController();
      const reason = new Error('gave up');
      const fn = failing(9);
      const outcome = guard.outcome('charge', fn, { signal: controller.signal });
      await clock.advance(20);
      controller.abort(reason);
      await expect(outcome).resolves.toMatchObject({
        outcome: 'cancelled',
        error: reason,
        attempts: 1,
        durationMs: 20,
      });
      await clock.advance(60_000);
      expect(fn.executions).toBe(1);
      expect(clock.timers.refed).toBe(0);
      expect(guard.snapshot().suppressed['cancelled']).toBe(1);
    });
  });

  describe('with a circuit breaker', () => {
    const breaker = { failures: 3, successes: 2, openFor: '10s' } as const;

    async function open(guard: Guard): Promise<void> {
      for (let i = 0; i < 3; i += 1) await guard.outcome('charge', failing(1));
      expect(guard.breaker?.state).toBe('open');
    }

    test('rejects without calling while open, and says when to come back', async () => {
      const { guard, clock } = setUp({ breaker });
      await open(guard);
      await clock.advance(4_000);
      const fn = failing(0);
      const outcome = await guard.outcome('charge', fn);
      expect(outcome).toMatchObject({
        outcome: 'rejected',
        attempts: 0,
        error: { code: 'ERR_KEELSON_BREAKER_OPEN', reason: 'open', retryAfterMs: 6_000 },
      });
      expect(fn.executions).toBe(0);
      expect(guard.snapshot()).toMatchObject({
        rejections: { 'breaker/open': 1 },
        calls: { rejected: 1, failure: 3 },
      });
    });

    test('closes after so many trials, and lets no more through at a time', async () => {
      const { guard, clock } = setUp({ breaker });
      await open(guard);
      await clock.advance(10_000);
      const first = deferred<string>();
      const second = deferred<string>();
      const trials = [guard.run('charge', () => first.promise), guard.run('charge', () => second.promise)];
      expect(guard.breaker?.state).toBe('half_open');
      const extra = await guard.outcome('charge', failing(0));
      expect(extra).toMatchObject({ outcome: 'rejected', error: { reason: 'half_open' } });
      first.resolve('1');
      second.resolve('2');
      await Promise.all(trials);
      expect(guard.breaker?.state).toBe('closed');
    });

    test('opens again when a trial fails', async () => {
      const { guard, clock } = setUp({ breaker });
      await open(guard);
      await clock.advance(10_000);
      await guard.outcome('charge', failing(1));
      expect(guard.breaker?.state).toBe('open');
      expect(guard.snapshot().breaker?.transitions['half_open/open']).toBe(1);
    });

    test('takes no account of a straggler from an earlier state', async () => {
      const { guard, clock } = setUp({ breaker });
      const straggler = deferred<string>();
      const late = guard.outcome('charge', () => straggler.promise);
      await open(guard);
      await clock.advance(10_000);
      await guard.run('charge', failing(0));
      expect(guard.breaker?.state).toBe('half_open');
      straggler.reject(new Error('from long ago'));
      await late;
      expect(guard.breaker?.state).toBe('half_open');
    });

    test('takes aborts of callers and rejections of inner guards as neutral', async () => {
      const { guard } = setUp({ breaker, retry: { retries: 3 } });
      const inner = makeKeelson({}).guard('inner', { breaker: {} });
      inner.breaker?.forceOpen();
      for (let i = 0; i < 5; i += 1) {
        const controller = new AbortController();
        const cancelled = guard.outcome('charge', () => new Promise(() => {}), { signal: controller.signal });
        controller.abort();
        expect(await cancelled).toMatchObject({ outcome: 'cancelled' });
        const nested = await guard.outcome('charge', () => inner.run('charge', async () => 1));
        expect(nested).toMatchObject({ outcome: 'failure', attempts: 1, error: { reason: 'forced_open' } });
      }
      expect(guard.breaker?.state).toBe('closed');
    });

    test('does not retry its own rejection, and keeps the error of the attempt that ran', async () => {
      const { guard, clock } = setUp({ breaker: { ...breaker, failures: 1 }, retry: { ...NO_JITTER } });
      const error = new Error('the dependency said no');
      const outcome = guard.outcome('charge', failing(9, error));
      await clock.advance(1_000);
      await expect(outcome).resolves.toMatchObject({
        outcome: 'failure',
        error,
        attempts: 1,
        suppressed: { policy: 'breaker', reason: 'open' },
      });
      expect(guard.snapshot()).toMatchObject({
        rejections: { 'breaker/open': 1 },
        calls: { failure: 1, rejected: 0 },
      });
    });

    test('never drains its queue into a circuit that opened meanwhile', async () => {
      const { guard } = setUp({
        breaker: { ...breaker, failures: 1 },
        bulkhead: { concurrent: 1, queue: 5 },
      });
      const running = deferred<string>();
      const first = guard.outcome('charge', () => running.promise);
      const fn = failing(0);
      const queued = guard.outcome('charge', fn);
      running.reject(new Error('down'));
      await first;
      expect(await queued).toMatchObject({ outcome: 'rejected', error: { reason: 'open' } });
      expect(fn.executions).toBe(0);
      expect(guard.snapshot().bulkhead).toMatchObject({ active: 0, queued: 0 });
    });

    test('gives trials that never report back their place after a while', async () => {
      const { guard, clock } = setUp({ breaker });
      await open(guard);
      await clock.advance(10_000);
      const lost = [0, 1].map(() => guard.outcome('charge', () => new Promise(() => {})));
      expect(await guard.outcome('charge', failing(0))).toMatchObject({ outcome: 'rejected' });
      await clock.advance(10_000);
      expect(await guard.outcome('charge', failing(0))).toMatchObject({ outcome: 'success' });
      expect(lost).toHaveLength(2);
    });

    test('can be held open, disabled and reset by hand', async () => {
      const { guard } = setUp({ breaker });
      guard.breaker?.forceOpen();
      expect(await guard.outcome('charge', failing(0))).toMatchObject({
        error: { code: 'ERR_KEELSON_BREAKER_FORCED_OPEN' },
      });
      guard.breaker?.disable();
      for (let i = 0; i < 10; i += 1)
        expect((await guard.outcome('charge', failing(1))).outcome).toBe('failure');
      expect(guard.breaker?.state).toBe('disabled');
      guard.breaker?.reset();
      expect(guard.breaker?.state).toBe('closed');
    });
  });
});
