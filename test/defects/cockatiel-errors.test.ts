import * as cockatiel from 'cockatiel';
import { describe, expect, test, vi } from 'vitest';
import { breaker } from '../../src/policies/breaker/index.ts';
import { bulkhead } from '../../src/policies/bulkhead/index.ts';
import { retry } from '../../src/policies/retry/index.ts';
import { timeout } from '../../src/policies/timeout/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { deferred } from '../support/deferred.ts';
import { failing } from '../support/failing.ts';
import { guardOnFakeClock, onFakeTimers, rejectionOf } from './scenario.ts';

const { circuitBreaker, ConsecutiveBreaker, handleAll } = cockatiel;

const theirBreaker = (): cockatiel.CircuitBreakerPolicy =>
  circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(1) });

describe('a listener that throws', () => {
  const broken = (): never => {
    throw new Error('the bug of a listener');
  };

  test('D3 neither repeats a call that succeeded nor hides the error of one that failed', async () => {
    const theirRetry = cockatiel.retry(handleAll, { maxAttempts: 2 });
    theirRetry.onSuccess(broken);
    const theirFn = failing(0);
    expect(await rejectionOf(theirRetry.execute(theirFn))).toMatchObject({
      message: 'the bug of a listener',
    });
    expect(theirFn.executions).toBe(3);
    const theirs = theirBreaker();
    theirs.onStateChange(broken);
    expect(await rejectionOf(theirs.execute(failing(1)))).toMatchObject({ message: 'the bug of a listener' });

    const clock = new FakeClock();
    const ourRetry = retry({ retries: 2 }, { clock });
    ourRetry.onSuccess(broken);
    const ourFn = failing(0);
    expect(await ourRetry.execute(ourFn)).toBe('ok');
    expect(ourFn.executions).toBe(1);
    const error = new Error('the original');
    const ours = breaker({ failures: 1 }, { clock });
    ours.onTransition(broken);
    ours.onFailure(broken);
    expect(await rejectionOf(ours.execute(failing(1, error)))).toBe(error);
    expect(ours.breaker.state).toBe('open');
    const { guard } = guardOnFakeClock({ breaker: { failures: 1 } });
    guard.on(broken);
    const guardedFn = failing(0);
    expect(await guard.run('charge', guardedFn)).toBe('ok');
    expect(guardedFn.executions).toBe(1);
    expect(await rejectionOf(guard.run('charge', failing(1, error)))).toBe(error);
    expect(guard.breaker?.state).toBe('open');
  });
});

describe('the refusal of a policy', () => {
  test('D10 is not retried', async () => {
    await onFakeTimers(async () => {
      const backoff = new cockatiel.ConstantBackoff(5);
      const theirRetry = cockatiel.retry(handleAll, { maxAttempts: 5, backoff });
      const onRetry = vi.fn<() => void>();
      theirRetry.onRetry(onRetry);
      const fn = failing(99);
      const run = rejectionOf(cockatiel.wrap(theirRetry, theirBreaker()).execute(fn));
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await run).toSatisfy(cockatiel.isBrokenCircuitError);
      expect(fn.executions).toBe(1);
      expect(onRetry).toHaveBeenCalledTimes(5);

      const full = cockatiel.bulkhead(1);
      const gate = deferred<void>();
      const running = full.execute(() => gate.promise);
      const refused = rejectionOf(cockatiel.wrap(theirRetry, full).execute(failing(0)));
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await refused).toSatisfy(cockatiel.isBulkheadRejectedError);
      expect(onRetry).toHaveBeenCalledTimes(10);
      gate.resolve();
      await running;
    });

    const clock = new FakeClock();
    const backoff = { retries: 5, delay: '5ms', jitter: 0 } as const;
    const ourRetry = retry(backoff, { clock });
    const retries: number[] = [];
    ourRetry.onRetry(({ attempt }) => retries.push(attempt));
    const fn = failing(99);
    const run = rejectionOf(cockatiel.wrap(ourRetry, breaker({ failures: 1 }, { clock })).execute(fn));
    await clock.advance(1_000);
    expect(await run).toMatchObject({ code: 'ERR_KEELSON_BREAKER_OPEN' });
    expect(fn.executions).toBe(1);
    expect(retries).toEqual([1]);
    const { guard, clock: guardClock } = guardOnFakeClock({
      retry: backoff,
      breaker: { failures: 1 },
      bulkhead: { concurrent: 1 },
    });
    const gate = deferred<void>();
    const running = guard.run('charge', () => gate.promise);
    const refused = guard.outcome('charge', failing(0));
    await guardClock.advance(1_000);
    expect(await refused).toMatchObject({ outcome: 'rejected', attempts: 0 });
    gate.resolve();
    await running;
    const guardedFn = failing(99);
    const opened = guard.outcome('charge', guardedFn);
    await guardClock.advance(1_000);
    expect(await opened).toMatchObject({
      outcome: 'failure',
      attempts: 1,
      suppressed: { policy: 'breaker', reason: 'open' },
    });
    expect(guardedFn.executions).toBe(1);
  });

  test('D14 is told apart by a stable name and code, as is a timeout', async () => {
    await onFakeTimers(async () => {
      const open = theirBreaker();
      await rejectionOf(open.execute(failing(1)));
      const full = cockatiel.bulkhead(0);
      const late = rejectionOf(
        cockatiel.timeout(10, cockatiel.TimeoutStrategy.Aggressive).execute(() => deferred<void>().promise),
      );
      await vi.advanceTimersByTimeAsync(10);
      const theirs = [
        await rejectionOf(open.execute(failing(0))),
        await rejectionOf(full.execute(failing(0))),
        await late,
      ];
      for (const error of theirs) {
        expect(error).toMatchObject({ name: 'Error' });
        expect(error).not.toHaveProperty('code');
      }
    });

    const clock = new FakeClock();
    const open = breaker({ failures: 1, openFor: '1m' }, { clock });
    await rejectionOf(open.execute(failing(1)));
    const full = bulkhead({ concurrent: 1 }, { clock });
    const gate = deferred<void>();
    const running = full.execute(() => gate.promise);
    const late = rejectionOf(timeout('10ms', { clock }).execute(() => deferred<void>().promise));
    await clock.advance(10);
    expect(await rejectionOf(open.execute(failing(0)))).toMatchObject({
      name: 'RejectedError',
      code: 'ERR_KEELSON_BREAKER_OPEN',
      retryAfterMs: 59_990,
    });
    expect(await rejectionOf(full.execute(failing(0)))).toMatchObject({
      name: 'RejectedError',
      code: 'ERR_KEELSON_BULKHEAD_FULL',
    });
    expect(await late).toMatchObject({ name: 'TimeoutError', code: 'ERR_KEELSON_TIMEOUT' });
    gate.resolve();
    await running;
  });
});
