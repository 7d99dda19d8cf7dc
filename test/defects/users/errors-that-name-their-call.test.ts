import { describe, expect, test } from 'vitest';
import type { Guard, GuardOptions } from '../../../src/guard/index.ts';
import { createKeelson } from '../../../src/guard/index.ts';
import { timeout } from '../../../src/policies/timeout/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

const hangs = (): Promise<never> => new Promise(() => {});

function setUp(options: GuardOptions): { guard: Guard; clock: FakeClock } {
  const clock = new FakeClock();
  return { clock, guard: createKeelson({ clock, warn: () => {} }).guard('payments', options) };
}

/** What the caller of a guarded call catches after a second. */
async function caughtBy(clock: FakeClock, call: () => Promise<unknown>): Promise<Error> {
  const caught = call().then(
    () => expect.unreachable(),
    (error: Error) => error,
  );
  await clock.advance(1_000);
  return caught;
}

async function chargeCustomer(run: () => Promise<unknown>): Promise<unknown> {
  return await run();
}

async function handler(run: () => Promise<unknown>): Promise<unknown> {
  return await chargeCustomer(run);
}

const CALLERS = /chargeCustomer[\s\S]*handler/;

describe('the error of a call that took too long', () => {
  test('names guard and operation, and shows the callers, for an attempt', async () => {
    const { guard, clock } = setUp({ timeout: { attempt: 50 } });
    const error = await caughtBy(clock, () => handler(() => guard.run('charge', hangs)));
    expect(error.message).toBe('Guard "payments": the attempt of "charge" did not settle within 50 ms.');
    expect(error).toMatchObject({ source: { guard: 'payments', operation: 'charge' } });
    expect(error.stack).toMatch(CALLERS);
  });

  test('and for the whole call, while it runs and while it waits for its next attempt', async () => {
    const { guard, clock } = setUp({
      timeout: { total: 500, attempt: 400 },
      retry: { retries: 1, delay: 200 },
    });
    const error = await caughtBy(clock, () => handler(() => guard.run('charge', hangs)));
    expect(error.message).toBe('Guard "payments": the attempt of "charge" did not settle within 400 ms.');
    expect(error.stack).toMatch(CALLERS);
    guard.update({ timeout: { total: 500 } });
    const total = await caughtBy(clock, () => handler(() => guard.run('charge', hangs)));
    expect(total.message).toBe('Guard "payments": the call of "charge" did not settle within 500 ms.');
    expect(total.stack).toMatch(CALLERS);
  });

  test('shows the callers through a cache and a fallback too', async () => {
    const { guard, clock } = setUp({ timeout: { attempt: 50 }, fallback: { value: 1, when: () => false } });
    const error = await caughtBy(clock, () => handler(() => guard.run('charge', hangs)));
    expect(error.stack).toMatch(CALLERS);
  });

  test('shows the callers of a timeout that stands alone', async () => {
    const clock = new FakeClock();
    const policy = timeout(50, { clock });
    const error = await caughtBy(clock, () => handler(() => policy.execute(hangs)));
    expect(error.stack).toMatch(/timeout\.ts/);
  });

  test('is the reason of its signal, the very object', async () => {
    const { guard, clock } = setUp({ timeout: { attempt: 50 } });
    let reason: unknown;
    const error = await caughtBy(clock, () =>
      guard.run('charge', ({ signal }) => {
        signal.addEventListener('abort', () => (reason = signal.reason));
        return hangs();
      }),
    );
    expect(error).toBe(reason);
  });
});

describe('a refusal', () => {
  test('of the bulkhead names the guard, and shows the callers after a wait', async () => {
    const { guard, clock } = setUp({ bulkhead: { concurrent: 1, queue: 1, queueTimeout: 20 } });
    void guard.outcome('hold', hangs);
    const late = caughtBy(clock, () => handler(() => guard.run('charge', hangs)));
    const full = await caughtBy(clock, () => handler(() => guard.run('charge', hangs)));
    expect(full.message).toBe('Guard "payments": all 1 slots are in use and 1 of 1 calls wait for one.');
    expect((await late).message).toBe('Guard "payments": no slot became free within 20 ms.');
    expect((await late).stack).toMatch(CALLERS);
  });

  test('of the rate limit names the guard', async () => {
    const { guard, clock } = setUp({ rateLimit: { limit: 1, per: '1h' } });
    await guard.run('charge', async () => 1);
    const error = await caughtBy(clock, () => handler(() => guard.run('charge', hangs)));
    expect(error.message).toBe('Guard "payments": the limit of 1 per 1h is used up; the next turn is in 1h.');
    expect(error.stack).toMatch(CALLERS);
  });

  test('of a call whose time was over while it waited names guard and operation', async () => {
    const rateLimit = { limit: 1, per: '1s', maxWait: '10s' } as const;
    const { guard, clock } = setUp({ rateLimit, timeout: { total: 50 } });
    await guard.run('charge', async () => 1);
    const error = await caughtBy(clock, () => handler(() => guard.run('charge', hangs)));
    expect(error.message).toBe(
      'Guard "payments": the time of the call of "charge" was over before the function could be called.',
    );
    expect(error.stack).toMatch(CALLERS);
  });
});
