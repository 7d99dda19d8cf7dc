import { describe, expect, test } from 'vitest';
import type { Guard, Keelson } from '../../../src/guard/index.ts';
import { callContext, createKeelson, detached } from '../../../src/guard/index.ts';
import { FakeClock, settlePromises } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';
import { failing } from '../../support/failing.ts';

function setUp(): { keelson: Keelson; clock: FakeClock } {
  const clock = new FakeClock();
  return { clock, keelson: createKeelson({ clock, random: () => 0.5 }) };
}

const hangs = (): Promise<never> => new Promise(() => {});

/** A poller that the first call starts: it makes a guarded call every 20 ms, in the async context of the call that has started it. */
function startPoller(clock: FakeClock, store: Guard, outcomes: string[]): void {
  const tick = (): void => {
    clock.setTimer(tick, 20);
    void store.outcome('save', async () => 'ok').then(({ outcome }) => outcomes.push(outcome));
  };
  clock.setTimer(tick, 20);
}

describe('what a call has left behind', () => {
  test('goes on by itself after the call has timed out', async () => {
    const { keelson, clock } = setUp();
    const store = keelson.guard('store', { breaker: { failures: 5 } });
    const outcomes: string[] = [];
    const first = keelson.guard('api', { timeout: { attempt: '50ms' } }).outcome('token', () => {
      startPoller(clock, store, outcomes);
      return hangs();
    });
    await clock.advance(210);
    expect((await first).outcome).toBe('timeout');
    expect(outcomes).toEqual(Array(10).fill('success'));
  });

  test('goes on by itself after the caller of the call has gone', async () => {
    const { keelson, clock } = setUp();
    const store = keelson.guard('store', { timeout: { attempt: '1s' } });
    const outcomes: string[] = [];
    const controller = new AbortController();
    const start = (): Promise<never> => {
      startPoller(clock, store, outcomes);
      return hangs();
    };
    const first = keelson.guard('api', {}).outcome('token', start, { signal: controller.signal });
    await clock.advance(30);
    controller.abort('left');
    await clock.advance(180);
    expect((await first).outcome).toBe('cancelled');
    expect(outcomes).toEqual(Array(10).fill('success'));
  });

  test('has no deadline of the call, and retries although the call would have', async () => {
    const { keelson, clock } = setUp();
    const inner = keelson.guard('inner', { retry: { retries: 1, delay: '5s', jitter: 0 } });
    const later = deferred<void>();
    const saved = deferred<string>();
    const limits = { timeout: { total: '1s' }, retry: { retries: 5, delay: 0 } } as const;
    const outer = keelson.guard('outer', limits).outcome('load', async () => {
      await later.promise;
      saved.resolve((await inner.outcome('save', failing(1))).outcome);
    });
    await clock.advance(1_000);
    expect((await outer).outcome).toBe('timeout');
    later.resolve();
    await clock.advance(6_000);
    expect(await saved.promise).toBe('success');
    expect(inner.snapshot().suppressed['nested']).toBe(0);
  });

  test('still sees in its context that the signal has aborted, until it settles', async () => {
    const { keelson, clock } = setUp();
    const [later, done] = [deferred<void>(), deferred<void>()];
    const aborted: unknown[] = [];
    const outer = keelson.guard('outer', { timeout: { total: '1s' } }).outcome('load', async () => {
      void done.promise.then(() => aborted.push(callContext()));
      await later.promise;
      aborted.push(callContext()?.signal.aborted);
    });
    await clock.advance(1_000);
    await outer;
    later.resolve();
    await settlePromises();
    done.resolve();
    await settlePromises();
    expect(aborted).toEqual([true, undefined]);
  });
});

describe('a call within a call that ends', () => {
  test('ends with it if it is on its way at that moment, and not if it begins in the next moment', async () => {
    const { keelson, clock } = setUp();
    const inner = keelson.guard('inner', {});
    const outer = keelson.guard('outer', { timeout: { attempt: '1s' } }).outcome('load', async () => {
      await inner.outcome('before', hangs);
      await inner.outcome('after', async () => 'ok');
    });
    await clock.advance(1_000);
    expect((await outer).outcome).toBe('timeout');
    expect(inner.snapshot().calls).toMatchObject({ cancelled: 1, success: 1 });
  });

  test('still belongs to the calls further out that go on', async () => {
    const { keelson, clock } = setUp();
    const inner = keelson.guard('inner', {});
    const middle = keelson.guard('middle', { timeout: { attempt: '1s' } });
    const outer = keelson.guard('outer', { timeout: { total: '3s' } }).outcome('load', async () => {
      await middle.outcome('part', async () => {
        await inner.outcome('first', hangs);
        await inner.outcome('second', hangs);
      });
      await hangs();
    });
    await clock.advance(2_000);
    expect(inner.snapshot()).toMatchObject({ calls: { cancelled: 1 }, inFlight: 1 });
    await clock.advance(1_000);
    expect((await outer).outcome).toBe('timeout');
    expect(inner.snapshot()).toMatchObject({ calls: { cancelled: 2 }, inFlight: 0 });
  });
});

describe('a promise that requests share', () => {
  /** Alice's request starts the load of the token, Bob's waits for it, and Alice closes her tab. */
  async function aliceGoes(
    share: (auth: Guard, load: () => Promise<string>) => Promise<string>,
  ): Promise<string[]> {
    const { keelson, clock } = setUp();
    const auth = keelson.guard('auth', { retry: { retries: 2, delay: '5ms' } });
    const api = keelson.guard('api', {});
    let token: Promise<string> | undefined;
    const load = async (): Promise<string> => {
      await new Promise<void>((resolve) => clock.setTimer(resolve, 100));
      return 'token';
    };
    const request = (signal: AbortSignal): Promise<string> =>
      api.outcome('get', () => (token ??= share(auth, load)), { signal }).then(({ outcome }) => outcome);
    const tab = new AbortController();
    const requests = [request(tab.signal), request(new AbortController().signal)];
    await clock.advance(30);
    tab.abort('closed');
    await clock.advance(100);
    return Promise.all(requests);
  }

  test('ends for nobody else when the request that began it ends, if it is detached', async () => {
    const outcomes = await aliceGoes((auth, load) => detached(() => auth.run('token', load)));
    expect(outcomes).toEqual(['cancelled', 'success']);
  });

  test('or if its call does not inherit', async () => {
    const outcomes = await aliceGoes((auth, load) => auth.run('token', load, { inherit: false }));
    expect(outcomes).toEqual(['cancelled', 'success']);
  });

  test('or if its guard does not inherit', async () => {
    const outcomes = await aliceGoes((auth, load) => {
      auth.update({ inherit: false });
      return auth.run('token', load);
    });
    expect(outcomes).toEqual(['cancelled', 'success']);
  });

  test('ends for all of them otherwise', async () => {
    expect(await aliceGoes((auth, load) => auth.run('token', load))).toEqual(['cancelled', 'failure']);
  });
});

test('the calls within a call that does not inherit are as free as it is', async () => {
  const { keelson, clock } = setUp();
  const [middle, inner] = [keelson.guard('middle', { inherit: false }), keelson.guard('inner', {})];
  const later = deferred<void>();
  const outer = keelson
    .guard('outer', { timeout: { attempt: '1s' } })
    .outcome('load', () => middle.run('part', () => inner.run('step', () => later.promise)));
  await clock.advance(1_000);
  expect((await outer).outcome).toBe('timeout');
  later.resolve();
  await settlePromises();
  expect(inner.snapshot().calls).toMatchObject({ success: 1, cancelled: 0 });
});

test('`inherit` is true or false', async () => {
  const { keelson } = setUp();
  expect(() => keelson.guard('wrong', { inherit: 'no' as never })).toThrow(/inherit/);
  const call = keelson.guard('right', {}).run('load', async () => 1, { inherit: 'no' as never });
  await expect(call).rejects.toMatchObject({ code: 'ERR_KEELSON_CONFIG' });
});
