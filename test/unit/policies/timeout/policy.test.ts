import { describe, expect, test } from 'vitest';
import { OptionChecker } from '../../../../src/core/options.ts';
import { timeout } from '../../../../src/policies/timeout/index.ts';
import { resolveTimeout } from '../../../../src/policies/timeout/options.ts';
import { FakeClock, settlePromises } from '../../../../src/testing/index.ts';
import { failing } from '../../../support/failing.ts';

describe('a timeout as a policy', () => {
  test('gives the function a signal that aborts with the timeout', async () => {
    const clock = new FakeClock();
    let reason: unknown;
    const run = ({ signal }: { signal: AbortSignal }): Promise<never> => {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      return new Promise(() => {});
    };
    const caught = expect(timeout('1s', { clock }).execute(run)).rejects.toMatchObject({
      code: 'ERR_KEELSON_TIMEOUT',
      scope: 'attempt',
      timeoutMs: 1_000,
    });
    await clock.advance(1_000);
    await caught;
    expect(reason).toMatchObject({ scope: 'attempt', timeoutMs: 1_000 });
  });

  test('keeps the process alive no longer than the call takes', async () => {
    const clock = new FakeClock();
    const policy = timeout('1m', { clock });
    const call = policy.execute(failing(0));
    expect(clock.timers.refed).toBe(1);
    expect(await call).toBe('ok');
    expect([clock.timers.refed, policy.abandoned]).toEqual([0, 0]);
  });

  test('stops listening to the caller when the call is over', async () => {
    const caller = new AbortController();
    let removed = 0;
    const { signal } = caller;
    const remove = signal.removeEventListener.bind(signal);
    signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
      removed += 1;
      remove(...args);
    };
    await timeout('1s', { clock: new FakeClock() }).execute(failing(0), signal);
    expect(removed).toBe(1);
  });

  test('says that it handled its own timeouts, and no other error', async () => {
    const clock = new FakeClock();
    const policy = timeout('1s', { clock });
    const handled: boolean[] = [];
    policy.onFailure((event) => handled.push(event.handled));
    await expect(policy.execute(failing(1))).rejects.toThrow('no');
    const caught = expect(policy.execute(() => new Promise(() => {}))).rejects.toThrow(/1000 ms/);
    await clock.advance(1_000);
    await caught;
    await settlePromises();
    expect(handled).toEqual([false, true]);
  });

  test('blames a blocked event loop, and says by how much it was late', async () => {
    const clock = new FakeClock();
    const call = timeout('1s', { clock }).execute(() => new Promise(() => {}));
    const caught = expect(call).rejects.toMatchObject({
      code: 'ERR_KEELSON_EVENT_LOOP_DELAY',
      timeoutMs: 1_000,
      lateByMs: 500,
    });
    await settlePromises();
    clock.block(1_500);
    await clock.advance(0);
    await caught;
  });

  test('blames nobody for a timer that is as late as timers are', async () => {
    const clock = new FakeClock();
    const call = timeout('1s', { clock }).execute(() => new Promise(() => {}));
    const caught = expect(call).rejects.toMatchObject({ code: 'ERR_KEELSON_TIMEOUT', lateByMs: 0 });
    await settlePromises();
    clock.block(1_020);
    await clock.advance(0);
    await caught;
  });

  test('names the option that is wrong', () => {
    expect(() => timeout(0)).toThrow('Expected `duration` to be a duration of at least 1 ms');
    const check = new OptionChecker('timeout');
    resolveTimeout({ attempt: 0, total: 0 }, check);
    expect(() => check.done()).toThrow(/`attempt` to be a duration.*`total` to be a duration/);
  });
});
