import * as cockatiel from 'cockatiel';
import { describe, expect, test, vi } from 'vitest';
import type { BreakerOptions } from '../../src/policies/breaker/index.ts';
import { breaker } from '../../src/policies/breaker/index.ts';
import { FakeClock, settlePromises } from '../../src/testing/index.ts';
import { deferred } from '../support/deferred.ts';
import { failing } from '../support/failing.ts';
import { after, guardOnFakeClock, onFakeTimers, rejectionOf, watched } from './scenario.ts';

const { CircuitState } = cockatiel;

/** Their breaker: opens at the first failure, and tries again after 10 ms. */
const theirBreaker = (
  handled: ReturnType<typeof cockatiel.handleWhen> = cockatiel.handleAll,
): cockatiel.CircuitBreakerPolicy =>
  cockatiel.circuitBreaker(handled, { halfOpenAfter: 10, breaker: new cockatiel.ConsecutiveBreaker(1) });

interface OurBreaker {
  readonly name: string;
  readonly clock: FakeClock;
  readonly state: () => string;
  readonly run: <T>(fn: () => Promise<T>, signal?: AbortSignal) => Promise<T>;
}

/** Ours with the same options, alone and in a guard. */
function ourBreakers(options: BreakerOptions): OurBreaker[] {
  const clock = new FakeClock();
  const policy = breaker(options, { clock });
  const guarded = guardOnFakeClock({ breaker: options });
  return [
    {
      name: 'alone',
      clock,
      state: () => policy.breaker.state,
      run: (fn, signal) => policy.execute(fn, signal),
    },
    {
      name: 'in a guard',
      clock: guarded.clock,
      state: () => guarded.guard.breaker?.state ?? 'none',
      run: (fn, signal) => guarded.guard.run('charge', fn, { signal }),
    },
  ];
}

/** A call that runs until its caller leaves. */
async function abandonedBy(run: OurBreaker['run']): Promise<unknown> {
  const controller = new AbortController();
  const { signal } = controller;
  const call = run(
    () =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
    signal,
  );
  await settlePromises();
  controller.abort();
  return rejectionOf(call);
}

describe('the circuit breaker', () => {
  test('D7 callers who leave neither open nor close a circuit', async () => {
    await onFakeTimers(async () => {
      const closed = theirBreaker();
      await abandonedBy((fn, signal) => closed.execute(fn, signal));
      expect(closed.state).toBe(CircuitState.Open);

      class HttpError extends Error {}
      const halfOpen = theirBreaker(cockatiel.handleType(HttpError));
      await rejectionOf(halfOpen.execute(failing(1, new HttpError())));
      await vi.advanceTimersByTimeAsync(15);
      await abandonedBy((fn, signal) => halfOpen.execute(fn, signal));
      expect(halfOpen.state).toBe(CircuitState.Closed);
    });

    for (const { name, clock, state, run } of ourBreakers({ failures: 1, successes: 1, openFor: '10ms' })) {
      await abandonedBy(run);
      expect(state(), name).toBe('closed');
      await rejectionOf(run(failing(1)));
      expect(state(), name).toBe('open');
      await clock.advance(15);
      await abandonedBy(run);
      expect(state(), name).toBe('half_open');
      await run(failing(0));
      expect(state(), name).toBe('closed');
    }
  });

  test('D8 a straggler from before the circuit opened changes nothing when it fails', async () => {
    await onFakeTimers(async () => {
      const theirs = theirBreaker();
      const late = deferred<void>();
      const straggler = rejectionOf(theirs.execute(() => late.promise));
      await rejectionOf(theirs.execute(failing(1)));
      await vi.advanceTimersByTimeAsync(15);
      const gate = deferred<string>();
      const trial = theirs.execute(() => gate.promise);
      expect(theirs.state).toBe(CircuitState.HalfOpen);
      late.reject(new Error('late'));
      await straggler;
      expect(theirs.state).toBe(CircuitState.Open);
      gate.resolve('ok');
      await trial;
      expect(theirs.state).toBe(CircuitState.Open);
    });

    for (const { name, clock, state, run } of ourBreakers({ failures: 1, successes: 1, openFor: '10ms' })) {
      const late = deferred<void>();
      const straggler = rejectionOf(run(() => late.promise));
      await rejectionOf(run(failing(1)));
      await clock.advance(15);
      const gate = deferred<string>();
      const trial = run(() => gate.promise);
      await settlePromises();
      late.reject(new Error('late'));
      await straggler;
      expect(state(), name).toBe('half_open');
      gate.resolve('ok');
      await trial;
      expect(state(), name).toBe('closed');
    }
  });

  test('D9 failures of an hour ago are not in a window of ten seconds', async () => {
    const hour = 3_600_000;
    /** 31 successes and 30 failures: below the threshold of one half. */
    async function burst(run: OurBreaker['run']): Promise<void> {
      for (let call = 0; call < 31; call += 1) await run(failing(0));
      for (let call = 0; call < 30; call += 1) await rejectionOf(run(failing(1)));
    }
    await onFakeTimers(async () => {
      const theirs = cockatiel.circuitBreaker(cockatiel.handleAll, {
        halfOpenAfter: 60_000,
        breaker: new cockatiel.SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 1 }),
      });
      await burst((fn) => theirs.execute(fn));
      expect(theirs.state).toBe(CircuitState.Closed);
      await vi.advanceTimersByTimeAsync(hour);
      for (let call = 0; call < 2; call += 1) await rejectionOf(theirs.execute(failing(1)));
      expect(theirs.state).toBe(CircuitState.Open);
    });

    for (const { name, clock, state, run } of ourBreakers({
      failureRate: 0.5,
      window: '10s',
      minimumCalls: 10,
    })) {
      await burst(run);
      await clock.advance(hour);
      for (let call = 0; call < 9; call += 1) await rejectionOf(run(failing(1)));
      expect(state(), name).toBe('closed');
      await rejectionOf(run(failing(1)));
      expect(state(), name).toBe('open');
    }
  });

  test('D11 callers beside the trial are refused at once, and do not hang until it ends', async () => {
    await onFakeTimers(async () => {
      const theirs = theirBreaker();
      await rejectionOf(theirs.execute(failing(1)));
      await vi.advanceTimersByTimeAsync(15);
      const trial = theirs.execute(() => after(200));
      const others = Array.from({ length: 5 }, () => theirs.execute(failing(0)));
      const watches = others.map(watched);
      await vi.advanceTimersByTimeAsync(199);
      expect(watches.filter(({ settled }) => settled)).toHaveLength(0);
      await vi.advanceTimersByTimeAsync(1);
      await Promise.all([trial, ...others]);
    });

    for (const { name, clock, run } of ourBreakers({ failures: 1, successes: 1, openFor: '10ms' })) {
      await rejectionOf(run(failing(1)));
      await clock.advance(15);
      const gate = deferred<string>();
      const trial = run(() => gate.promise);
      const fn = failing(0);
      for (let call = 0; call < 5; call += 1) {
        expect(await rejectionOf(run(fn)), name).toMatchObject({
          code: 'ERR_KEELSON_BREAKER_OPEN',
          reason: 'half_open',
        });
      }
      expect(fn.executions).toBe(0);
      gate.resolve('ok');
      await trial;
    }

    for (const { name, clock, run } of ourBreakers({
      failures: 1,
      successes: 1,
      openFor: '1s',
      halfOpenWait: '50ms',
    })) {
      await rejectionOf(run(failing(1)));
      await clock.advance(1_000);
      const gate = deferred<string>();
      const trial = run(() => gate.promise);
      const patient = run(failing(0));
      const watch = watched(patient);
      await clock.advance(49);
      expect(watch.settled, name).toBe(false);
      await clock.advance(1);
      expect(await rejectionOf(patient), name).toMatchObject({ reason: 'half_open' });
      gate.resolve('ok');
      await trial;
    }
  });
});
