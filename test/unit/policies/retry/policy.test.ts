import type { IBackoffFactory, IRetryBackoffContext } from 'cockatiel';
import { describe, expect, test } from 'vitest';
import type { RetryScheduled } from '../../../../src/policies/retry/index.ts';
import { retry } from '../../../../src/policies/retry/index.ts';
import { FakeClock, settlePromises } from '../../../../src/testing/index.ts';
import { failing } from '../../../support/failing.ts';

const seats = { random: () => 0.5 };

describe('a retry as a policy', () => {
  test('tells of each retry before its wait, by number, delay and error', async () => {
    const clock = new FakeClock();
    const policy = retry({ retries: 2, delay: '1s' }, { ...seats, clock });
    const told: RetryScheduled[] = [];
    policy.onRetry((event) => told.push(event));
    const error = new Error('no');
    const call = policy.execute(failing(2, error));
    await clock.advance(1_000);
    expect(told).toEqual([
      { attempt: 1, delayMs: 1_000, error },
      { attempt: 2, delayMs: 2_000, error },
    ]);
    await clock.advance(2_000);
    expect(await call).toBe('ok');
  });

  test('says that it handled the failure that it gives up on', async () => {
    const policy = retry({ retries: 0 });
    const handled: boolean[] = [];
    policy.onFailure((event) => handled.push(event.handled));
    await expect(policy.execute(failing(1))).rejects.toThrow('no');
    expect(handled).toEqual([true]);
  });

  test('throws the reason of a caller who left, in place of what the function threw then', async () => {
    const caller = new AbortController();
    const fn = async (): Promise<never> => {
      caller.abort('left');
      throw new Error('no');
    };
    await expect(retry({ delay: 0 }, { clock: new FakeClock() }).execute(fn, caller.signal)).rejects.toBe(
      'left',
    );
  });

  test('counts its calls for the budget, which lets a share of them be retried', async () => {
    const clock = new FakeClock();
    const policy = retry({ retries: 1, delay: 0, budget: { ratio: 0.5, floor: 0 } }, { ...seats, clock });
    const attempts: number[] = [];
    for (let call = 0; call < 4; call += 1) {
      const fn = failing(9);
      const failed = expect(policy.execute(fn)).rejects.toThrow('no');
      await clock.advance(0);
      await failed;
      attempts.push(fn.executions);
    }
    expect(attempts).toEqual([1, 2, 1, 2]);
  });
});

describe("a backoff of cockatiel's", () => {
  type Factory = IBackoffFactory<IRetryBackoffContext<unknown>>;

  test('is asked for each delay with the attempt, the signal and the error, each time the one that it gave before', async () => {
    const clock = new FakeClock();
    const asked: unknown[] = [];
    const next =
      (name: string): Factory['next'] =>
      (context) => {
        asked.push([name, context.attempt, context.signal === signal, context.result]);
        return { duration: asked.length * 10, next: next(`after ${name}`) };
      };
    const { signal } = new AbortController();
    const error = new Error('no');
    const call = retry({ retries: 2, backoff: { next: next('first') } }, { clock }).execute(
      failing(2, error),
      signal,
    );
    await clock.advance(10);
    await clock.advance(20);
    expect(await call).toBe('ok');
    expect(clock.now()).toBe(30);
    expect(asked).toEqual([
      ['first', 1, true, { error }],
      ['after first', 2, true, { error }],
    ]);
  });

  test('may stop the retries with an error: the error of the function is thrown', async () => {
    const stop = (): never => {
      throw new Error('no more');
    };
    const fn = failing(9);
    await expect(retry({ backoff: { next: stop } }).execute(fn)).rejects.toThrow(/^no$/);
    expect(fn.executions).toBe(1);
  });

  test('waits no time where its delay is below none', async () => {
    const clock = new FakeClock();
    const next: Factory['next'] = () => ({ duration: -5, next });
    const fn = failing(1);
    const call = retry({ backoff: { next } }, { clock }).execute(fn);
    await settlePromises();
    expect(clock.timers.running).toBe(1);
    await clock.advance(0);
    expect([await call, clock.now()]).toEqual(['ok', 0]);
  });
});

test('a filter that throws is a no: nobody said that another try is safe', async () => {
  const fn = failing(9);
  const retryIf = (): never => {
    throw new Error('a filter that throws');
  };
  await expect(retry({ retryIf }).execute(fn)).rejects.toThrow(/^no$/);
  expect(fn.executions).toBe(1);
});
