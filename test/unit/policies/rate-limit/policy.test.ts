import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { OptionChecker } from '../../../../src/core/options.ts';
import { acquire } from '../../../../src/policies/rate-limit/handle.ts';
import { rateLimit } from '../../../../src/policies/rate-limit/index.ts';
import { resolveRateLimit } from '../../../../src/policies/rate-limit/options.ts';
import { RateLimiter } from '../../../../src/policies/rate-limit/rate-limiter.ts';
import { FakeClock, settlePromises } from '../../../../src/testing/index.ts';
import { failing } from '../../../support/failing.ts';

describe('our rate limit as a policy', () => {
  test('keeps the async context of a caller that waited', async () => {
    const clock = new FakeClock();
    const policy = rateLimit(
      { limit: 10, per: '1s', algorithm: 'bucket', burst: 1, maxWait: '1s' },
      { clock },
    );
    const storage = new AsyncLocalStorage<string>();
    const seen: string[] = [];
    const run = (caller: string): Promise<void> =>
      storage.run(caller, () =>
        policy.execute(() => {
          seen.push(`${caller}${storage.getStore()}`);
        }),
      );
    const runs = ['A', 'B', 'C'].map(run);
    await clock.advance(1_000);
    await Promise.all(runs);
    expect(seen).toEqual(['AA', 'BB', 'CC']);
  });

  test('lets a caller that waits go at once, and calls nothing', async () => {
    const clock = new FakeClock();
    const policy = rateLimit({ limit: 1, per: '1m', maxWait: '2m' }, { clock });
    await policy.execute(failing(0));
    const fn = failing(0);
    const controller = new AbortController();
    const run = policy.execute(fn, controller.signal);
    controller.abort('left');
    await expect(run).rejects.toBe('left');
    expect([fn.executions, clock.timers.running]).toEqual([0, 0]);
  });

  test('calls nothing for a signal that is aborted already, and spends no token', async () => {
    const policy = rateLimit({ limit: 1, per: '1m' }, { clock: new FakeClock() });
    const fn = failing(0);
    await expect(policy.execute(fn, AbortSignal.abort('too late'))).rejects.toBe('too late');
    expect([fn.executions, await policy.limiter.available()]).toEqual([0, 1]);
  });

  test('gives the token back if the caller left in the very turn that granted it', async () => {
    const clock = new FakeClock();
    const check = new OptionChecker('rateLimit');
    const options = resolveRateLimit({ limit: 1, per: '1m', maxWait: '2m' }, check);
    const limiter = new RateLimiter(options, clock);
    await acquire(limiter, clock.now(), undefined);
    const controller = new AbortController();
    const run = expect(acquire(limiter, clock.now(), controller.signal)).rejects.toBe('left');
    limiter.giveBack(clock.now());
    controller.abort('left');
    await run;
    expect([limiter.queued, limiter.available]).toEqual([0, 1]);
  });

  test('gives the function the signal of its caller, or one that stays quiet', async () => {
    const policy = rateLimit({ limit: 2, per: '1m' }, { clock: new FakeClock() });
    const given = (context: { signal: AbortSignal }): AbortSignal => context.signal;
    const { signal } = new AbortController();
    expect(await policy.execute(given, signal)).toBe(signal);
    expect((await policy.execute(given)).aborted).toBe(false);
  });

  test('listens no more to a caller that has its token', async () => {
    const clock = new FakeClock();
    const policy = rateLimit({ limit: 1, per: '1m', maxWait: '2m' }, { clock });
    await policy.execute(failing(0));
    const { signal } = new AbortController();
    let listening = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>): void => {
      listening += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
      listening -= 1;
      remove(...args);
    };
    const run = policy.execute(failing(0), signal);
    await settlePromises();
    expect(listening).toBe(1);
    await clock.advance(60_000);
    expect([await run, listening]).toEqual(['ok', 0]);
  });

  test('refuses, and tells the listeners', async () => {
    const policy = rateLimit({ limit: 1, per: '1m' }, { clock: new FakeClock() });
    const heard: unknown[] = [];
    policy.onFailure(({ handled }) => heard.push(handled));
    await expect(policy.execute(failing(0))).resolves.toBe('ok');
    await expect(policy.execute(failing(0))).rejects.toMatchObject({ code: 'ERR_KEELSON_RATE_LIMITED' });
    expect(heard).toEqual([true]);
  });
});
