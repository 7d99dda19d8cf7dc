import { describe, expect, test } from 'vitest';
import { bulkhead } from '../../../../src/policies/bulkhead/index.ts';
import { FakeClock, settlePromises } from '../../../../src/testing/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { failing } from '../../../support/failing.ts';

/** A signal that counts who listens. */
function counted(): { readonly caller: AbortController; readonly listeners: () => number } {
  const caller = new AbortController();
  const { signal } = caller;
  let listening = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>): void => {
    listening += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
    listening -= 1;
    remove(...args);
  };
  return { caller, listeners: () => listening };
}

describe('a bulkhead as a policy', () => {
  test('says how full it is when it refuses, and what to do', async () => {
    const policy = bulkhead({ concurrent: 1, queue: 1 });
    const gate = deferred<string>();
    const running = [policy.execute(() => gate.promise), policy.execute(failing(0))];
    await expect(policy.execute(failing(0))).rejects.toMatchObject({
      code: 'ERR_KEELSON_BULKHEAD_FULL',
      reason: 'full',
      message: 'All 1 slots are in use and 1 of 1 calls wait for one.',
      hint: expect.stringMatching(/shed load, or raise `bulkhead\.concurrent` or `bulkhead\.queue`/),
      source: { policy: 'bulkhead' },
    });
    gate.resolve('ok');
    expect(await Promise.all(running)).toEqual(['ok', 'ok']);
  });

  test('says how long a call waited that it sends away, and keeps no timer of it', async () => {
    const clock = new FakeClock();
    const policy = bulkhead({ concurrent: 1, queue: 1, queueTimeout: 250 }, { clock });
    const gate = deferred<string>();
    const first = policy.execute(() => gate.promise);
    const second = expect(policy.execute(failing(0))).rejects.toMatchObject({
      code: 'ERR_KEELSON_BULKHEAD_QUEUE_TIMEOUT',
      reason: 'queue_timeout',
      message: 'No slot became free within 250 ms.',
      hint: expect.stringMatching(/shed load, or raise `bulkhead\.concurrent`/),
    });
    await clock.advance(250);
    await second;
    gate.resolve('ok');
    await first;
    expect([policy.executionSlots, policy.queueSlots, clock.timers.refed]).toEqual([1, 1, 0]);
  });

  test('keeps no process alive for a queue timeout that is not needed any more', async () => {
    const clock = new FakeClock();
    const policy = bulkhead({ concurrent: 1, queue: 1, queueTimeout: '1m' }, { clock });
    const gates = [deferred<string>(), deferred<string>()];
    const calls = gates.map((gate) => policy.execute(() => gate.promise));
    await settlePromises();
    expect(clock.timers.refed).toBe(1);
    gates[0]?.resolve('ok');
    await settlePromises();
    expect(clock.timers.refed).toBe(0);
    gates[1]?.resolve('ok');
    expect(await Promise.all(calls)).toEqual(['ok', 'ok']);
  });

  test('starts no timer without a queue timeout', async () => {
    const clock = new FakeClock();
    const policy = bulkhead({ concurrent: 1, queue: 1 }, { clock });
    const gate = deferred<string>();
    const calls = [policy.execute(() => gate.promise), policy.execute(failing(0))];
    await settlePromises();
    expect(clock.timers.running).toBe(0);
    gate.resolve('ok');
    await Promise.all(calls);
  });

  test('lets the second of three leave the queue, and keeps the order of the others', async () => {
    const policy = bulkhead({ concurrent: 1, queue: 3 });
    const gate = deferred<void>();
    const said: string[] = [];
    const first = policy.execute(() => gate.promise);
    const leaving = new AbortController();
    const calls = ['a', 'b', 'c'].map((name) =>
      policy.execute(() => said.push(name), name === 'b' ? leaving.signal : undefined),
    );
    const caught = expect(calls[1]).rejects.toBe('left');
    await settlePromises();
    leaving.abort('left');
    await caught;
    expect(policy.queueSlots).toBe(1);
    gate.resolve();
    await Promise.all([first, calls[0], calls[2]]);
    expect([said, policy.executionSlots, policy.queueSlots]).toEqual([['a', 'c'], 1, 3]);
  });

  test('listens to a queued caller no longer than it waits', async () => {
    const policy = bulkhead({ concurrent: 1, queue: 1 });
    const { caller, listeners } = counted();
    const gates = [deferred<string>(), deferred<string>()];
    const first = policy.execute(() => gates[0]?.promise);
    const second = policy.execute(() => gates[1]?.promise, caller.signal);
    await settlePromises();
    expect(listeners()).toBe(1);
    gates[0]?.resolve('ok');
    await first;
    await settlePromises();
    expect(listeners()).toBe(0);
    gates[1]?.resolve('ok');
    expect(await second).toBe('ok');
  });

  test("gives the function the caller's signal, and says that it handled refusals only", async () => {
    const policy = bulkhead({ concurrent: 1 });
    const { signal } = new AbortController();
    expect(await policy.execute((context) => context.signal, signal)).toBe(signal);
    expect((await policy.execute((context) => context.signal)).aborted).toBe(false);
    const handled: boolean[] = [];
    policy.onFailure((event) => handled.push(event.handled));
    await expect(policy.execute(failing(1))).rejects.toThrow('no');
    const gate = deferred<string>();
    const running = policy.execute(() => gate.promise);
    await expect(policy.execute(failing(0))).rejects.toMatchObject({ reason: 'full' });
    gate.resolve('ok');
    await running;
    expect(handled).toEqual([false, true]);
  });

  test('names the option that is wrong', () => {
    expect(() => bulkhead({ queueTimeout: 0 })).toThrow(
      'Expected `queueTimeout` to be a duration of at least 1 ms',
    );
    expect(() => bulkhead({ queue: -1, concurrent: 0 })).toThrow(/`concurrent`.*`queue`/);
  });
});
