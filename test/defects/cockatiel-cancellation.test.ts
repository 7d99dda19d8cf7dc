import { getEventListeners } from 'node:events';
import * as cockatiel from 'cockatiel';
import { describe, expect, test, vi } from 'vitest';
import { breaker } from '../../src/policies/breaker/index.ts';
import { bulkhead } from '../../src/policies/bulkhead/index.ts';
import { retry } from '../../src/policies/retry/index.ts';
import { timeout } from '../../src/policies/timeout/index.ts';
import { FakeClock, settlePromises } from '../../src/testing/index.ts';
import { deferred } from '../support/deferred.ts';
import { failing } from '../support/failing.ts';
import { guardOnFakeClock, onFakeTimers, rejectionOf, watched } from './scenario.ts';

describe('a caller who leaves', () => {
  test('D4 an abort ends the wait before a retry at once, and nothing runs after it', async () => {
    await onFakeTimers(async () => {
      const left = new AbortController();
      const fn = failing(99);
      const backoff = new cockatiel.ConstantBackoff(300);
      const run = cockatiel.retry(cockatiel.handleAll, { maxAttempts: 3, backoff }).execute(fn, left.signal);
      const watch = watched(run);
      await vi.advanceTimersByTimeAsync(20);
      left.abort(new Error('left'));
      await vi.advanceTimersByTimeAsync(279);
      expect(watch.settled).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      expect(await rejectionOf(run)).toMatchObject({ message: 'no' });
      expect(fn.executions).toBe(2);
    });

    const options = { retries: 3, delay: '300ms', jitter: 0 } as const;
    const { guard, clock } = guardOnFakeClock({ retry: options });
    const policy = retry(options, { clock });
    for (const run of [
      (fn: () => Promise<string>, signal: AbortSignal) => policy.execute(fn, signal),
      (fn: () => Promise<string>, signal: AbortSignal) => guard.run('charge', fn, { signal }),
    ]) {
      const left = new AbortController();
      const reason = new Error('left');
      const fn = failing(99);
      const call = run(fn, left.signal);
      await clock.advance(20);
      left.abort(reason);
      expect(await rejectionOf(call)).toBe(reason);
      await clock.advance(1_000);
      expect(fn.executions).toBe(1);
    }
  });

  test('D5 a signal that has aborted already keeps the function from running', async () => {
    const reason = new Error('left before');
    const signal = AbortSignal.abort(reason);
    const theirs: cockatiel.IPolicy[] = [
      cockatiel.retry(cockatiel.handleAll, { maxAttempts: 3 }),
      cockatiel.circuitBreaker(cockatiel.handleAll, {
        halfOpenAfter: 1,
        breaker: new cockatiel.ConsecutiveBreaker(9),
      }),
    ];
    for (const policy of theirs) {
      const fn = failing(0);
      expect(await policy.execute(fn, signal)).toBe('ok');
      expect(fn.executions).toBe(1);
    }

    const { guard } = guardOnFakeClock({ retry: {}, breaker: {} });
    const ours = [retry(), breaker(), bulkhead(), timeout('1s')];
    const runs = [
      ...ours.map((policy) => (fn: () => Promise<string>) => policy.execute(fn, signal)),
      (fn: () => Promise<string>) => guard.run('charge', fn, { signal }),
    ];
    expect(runs).toHaveLength(5);
    for (const run of runs) {
      const fn = failing(0);
      expect(await rejectionOf(run(fn))).toBe(reason);
      expect(fn.executions).toBe(0);
    }
  });

  test('D6 an abort by the caller is no timeout', async () => {
    const theirs = cockatiel.timeout(10_000, cockatiel.TimeoutStrategy.Aggressive);
    const onTimeout = vi.fn<() => void>();
    theirs.onTimeout(onTimeout);
    const left = new AbortController();
    const theirRun = theirs.execute(() => deferred<void>().promise, left.signal);
    left.abort(new Error('left'));
    expect(await rejectionOf(theirRun)).toMatchObject({ message: 'Operation timed out after 10000ms' });
    expect(onTimeout).toHaveBeenCalledTimes(1);

    const reason = new Error('left');
    const controller = new AbortController();
    const policy = timeout('10s', { clock: new FakeClock() });
    const handled: boolean[] = [];
    policy.onFailure((event) => handled.push(event.handled));
    const { guard } = guardOnFakeClock({ timeout: { attempt: '10s' } });
    const alone = policy.execute(() => deferred<void>().promise, controller.signal);
    const guarded = guard.run('charge', () => deferred<void>().promise, { signal: controller.signal });
    controller.abort(reason);
    expect(await rejectionOf(alone)).toBe(reason);
    expect(await rejectionOf(guarded)).toBe(reason);
    expect(handled).toEqual([false]);
    expect(guard.snapshot().calls).toMatchObject({ cancelled: 1, timeout: 0 });
  });
});

describe('the signal of a function', () => {
  test('D13 stays as it is after a success, so that the body of a response can still be read', async () => {
    type Context = { readonly signal: AbortSignal };
    /** A response whose body breaks when its signal aborts, as that of `fetch` does. */
    const respond = async ({ signal }: Context): Promise<Response> => {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          signal.addEventListener('abort', () => controller.error(signal.reason));
        },
        async pull(controller) {
          await settlePromises();
          if (signal.aborted) return;
          controller.enqueue(new TextEncoder().encode('paid'));
          controller.close();
        },
      });
      return new Response(body);
    };
    const theirs = cockatiel.timeout(10_000, cockatiel.TimeoutStrategy.Aggressive);
    const broken = await theirs.execute(respond);
    expect(await rejectionOf(broken.text())).toMatchObject({ name: 'AbortError' });

    const alone = await timeout('10s', { clock: new FakeClock() }).execute(respond);
    expect(await alone.text()).toBe('paid');
    const { guard } = guardOnFakeClock({ timeout: { attempt: '10s', total: '20s' } });
    const guarded = await guard.run('charge', respond);
    expect(await guarded.text()).toBe('paid');
  });

  test('D15 belongs to one call, and nothing of ours stays on that of the caller', async () => {
    const theirs = cockatiel.retry(cockatiel.handleAll, { maxAttempts: 1 });
    const seenByTheirs = new Set<AbortSignal>();
    for (let call = 0; call < 20; call += 1) {
      await theirs.execute(({ signal }) => {
        seenByTheirs.add(signal);
        signal.addEventListener('abort', () => call);
      });
    }
    const [shared = new AbortController().signal] = seenByTheirs;
    expect(seenByTheirs.size).toBe(1);
    expect(getEventListeners(shared, 'abort')).toHaveLength(20);

    const clock = new FakeClock();
    const { guard } = guardOnFakeClock({ retry: {}, breaker: {}, bulkhead: {}, timeout: { attempt: '1s' } });
    const seats = { clock };
    const ours: cockatiel.IPolicy[] = [
      retry({}, seats),
      breaker({}, seats),
      bulkhead({}, seats),
      timeout('1s', seats),
    ];
    type Run = (fn: (context: { signal: AbortSignal }) => void, signal?: AbortSignal) => Promise<void>;
    const runs: Run[] = [
      ...ours.map(
        (policy): Run =>
          (fn, signal) =>
            policy.execute(fn, signal),
      ),
      (fn, signal) => guard.run('charge', fn, { signal }),
    ];
    const longLived = new AbortController().signal;
    for (const run of runs) {
      const seen = new Set<AbortSignal>();
      for (let call = 0; call < 20; call += 1) {
        await run(({ signal }) => {
          seen.add(signal);
          signal.addEventListener('abort', () => call);
        });
        await run(() => {}, longLived);
      }
      expect(seen.size).toBe(20);
      for (const signal of seen) expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    }
    expect(getEventListeners(longLived, 'abort')).toHaveLength(0);
  });
});
