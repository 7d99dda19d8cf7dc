import { describe, expect, test } from 'vitest';
import { RejectedError } from '../../../../src/core/errors.ts';
import type { BreakerPolicy } from '../../../../src/policies/breaker/index.ts';
import { breaker } from '../../../../src/policies/breaker/index.ts';
import { FakeClock, settlePromises } from '../../../../src/testing/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { failing } from '../../../support/failing.ts';

const options = { failures: 1, successes: 1, openFor: '10s' } as const;

/** A circuit with a trial that is running. */
async function halfOpen(halfOpenWait?: '1s'): Promise<{
  policy: BreakerPolicy;
  clock: FakeClock;
  trial: ReturnType<typeof deferred<string>>;
}> {
  const clock = new FakeClock();
  const policy = breaker({ ...options, ...(halfOpenWait ? { halfOpenWait } : {}) }, { clock });
  await expect(policy.execute(failing(1))).rejects.toThrow('no');
  await clock.advance(10_000);
  const trial = deferred<string>();
  void policy.execute(() => trial.promise);
  return { policy, clock, trial };
}

describe('a breaker as a policy', () => {
  test('tells of its transitions with their names', async () => {
    const policy = breaker(options);
    const told: unknown[] = [];
    policy.onTransition((event) => told.push(event));
    await expect(policy.execute(failing(1))).rejects.toThrow('no');
    expect(told).toEqual([{ type: 'breaker.transition', from: 'closed', to: 'open' }]);
  });

  test('refuses at once beside a running trial, where nobody waits', async () => {
    const { policy } = await halfOpen();
    await expect(policy.execute(failing(0))).rejects.toMatchObject({ reason: 'half_open' });
  });

  test('lets calls wait for the decision of the trial', async () => {
    const { policy, trial } = await halfOpen('1s');
    const fn = failing(0);
    const waiting = policy.execute(fn);
    await settlePromises();
    expect(fn.executions).toBe(0);
    trial.resolve('ok');
    expect([await waiting, fn.executions]).toEqual(['ok', 1]);
  });

  test('does not let calls wait for an open circuit', async () => {
    const clock = new FakeClock();
    const policy = breaker({ ...options, halfOpenWait: '1s' }, { clock });
    await expect(policy.execute(failing(1))).rejects.toThrow('no');
    await expect(policy.execute(failing(0))).rejects.toMatchObject({ reason: 'open' });
    expect(clock.timers.refed).toBe(0);
  });

  test('lets a waiting call go when its caller aborts', async () => {
    const { policy, clock } = await halfOpen('1s');
    const caller = new AbortController();
    const caught = expect(policy.execute(failing(0), caller.signal)).rejects.toBe('left');
    await settlePromises();
    caller.abort('left');
    await caught;
    expect(clock.timers.refed).toBe(0);
  });

  test("gives the function the caller's signal, or one that never aborts", async () => {
    const { signal } = new AbortController();
    const policy = breaker();
    expect(await policy.execute((context) => context.signal, signal)).toBe(signal);
    expect((await policy.execute((context) => context.signal)).aborted).toBe(false);
  });

  test('counts no failure of a call whose caller has aborted', async () => {
    const policy = breaker(options);
    const caller = new AbortController();
    const fn = async (): Promise<never> => {
      caller.abort('left');
      throw new Error('no');
    };
    await expect(policy.execute(fn, caller.signal)).rejects.toThrow('no');
    expect(policy.breaker.state).toBe('closed');
    const { signal } = new AbortController();
    await expect(policy.execute(failing(1), signal)).rejects.toThrow('no');
    expect(policy.breaker.state).toBe('open');
  });

  test('counts a success: failures are in a row only without one between', async () => {
    const policy = breaker({ failures: 2 });
    for (const times of [1, 0, 1]) await policy.execute(failing(times)).catch(() => {});
    expect(policy.breaker.state).toBe('closed');
  });

  test('says which failures it took as such', async () => {
    const policy = breaker({ failures: 9, failureIf: (error) => error !== 'ignored' });
    const handled: boolean[] = [];
    policy.onFailure((event) => handled.push(event.handled));
    const refusal = new RejectedError('ERR_KEELSON_BULKHEAD_FULL', 'full', 'full');
    for (const error of [new Error('no'), 'ignored', refusal])
      await expect(policy.execute(failing(1, error))).rejects.toBe(error);
    expect(handled).toEqual([true, false, false]);
  });
});

describe('a half-open circuit whose trials are answered with errors that `failureIf` leaves out', () => {
  const NOT_FOUND = new Error('404');
  const withFilter = (): { policy: BreakerPolicy; clock: FakeClock } => {
    const clock = new FakeClock();
    const failureIf = (error: unknown): boolean => error !== NOT_FOUND;
    return { clock, policy: breaker({ failures: 1, successes: 3, openFor: '10s', failureIf }, { clock }) };
  };

  test('closes after as many of them as after successes', async () => {
    const { policy, clock } = withFilter();
    await expect(policy.execute(failing(1))).rejects.toThrow('no');
    await clock.advance(10_000);
    await expect(policy.execute(failing(1, NOT_FOUND))).rejects.toBe(NOT_FOUND);
    await policy.execute(failing(0));
    expect(policy.breaker.state).toBe('half_open');
    await expect(policy.execute(failing(1, NOT_FOUND))).rejects.toBe(NOT_FOUND);
    expect(policy.breaker.state).toBe('closed');
  });

  test('stays half-open where callers leave, whatever the error', async () => {
    const { policy, clock } = withFilter();
    await expect(policy.execute(failing(1))).rejects.toThrow('no');
    await clock.advance(10_000);
    for (let i = 0; i < 9; i += 1) {
      const caller = new AbortController();
      const run = policy.execute(async () => {
        caller.abort('left');
        throw NOT_FOUND;
      }, caller.signal);
      await expect(run).rejects.toBe(NOT_FOUND);
    }
    expect(policy.breaker.state).toBe('half_open');
  });

  test('does not count them while it is closed: neither for nor against the dependency', async () => {
    const policy = breaker({ failures: 2, failureIf: (error) => error !== NOT_FOUND });
    for (const error of [new Error('no'), NOT_FOUND, new Error('no')])
      await expect(policy.execute(failing(1, error))).rejects.toBe(error);
    expect(policy.breaker.state).toBe('open');
  });

  test('opens again where an answer is slow', async () => {
    const clock = new FakeClock();
    const slow = { slowCall: '1s', slowCallRate: 1, minimumCalls: 1, window: 1 } as const;
    const policy = breaker({ ...slow, successes: 1, openFor: '10s', failureIf: () => false }, { clock });
    for (const state of ['open', 'open']) {
      const gate = deferred<string>();
      const run = expect(policy.execute(() => gate.promise)).rejects.toBe(NOT_FOUND);
      await clock.advance(1_000);
      gate.reject(NOT_FOUND);
      await run;
      expect(policy.breaker.state).toBe(state);
      await clock.advance(10_000);
    }
  });
});
