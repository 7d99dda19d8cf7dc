import CircuitBreaker from 'opossum';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createKeelson } from '../../../src/guard/index.ts';
import type { Guard, GuardOptions } from '../../../src/guard/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

// What `src/guard/MIGRATION.md` says of opossum and of its counterparts here, side by side.

type Action = (...args: never[]) => Promise<unknown>;

function circuit(action: Action, options: CircuitBreaker.Options = {}): CircuitBreaker {
  const made = new CircuitBreaker<unknown[]>(action as (...args: unknown[]) => Promise<unknown>, {
    timeout: false,
    ...options,
  });
  onTestFinished(() => made.shutdown());
  return made;
}

function setUp(options: GuardOptions): { readonly guard: Guard; readonly clock: FakeClock } {
  const clock = new FakeClock();
  return { clock, guard: createKeelson({ clock }).guard('payments', options) };
}

const missing = new Error('not found');
const fails = (error: Error) => async (): Promise<never> => {
  throw error;
};
const never = (): Promise<never> => new Promise(() => {});

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return (error as { readonly code?: unknown }).code;
  }
  return 'no error';
}

describe('an error that does not count', () => {
  test('is a success without fallback in opossum', async () => {
    const there = circuit(fails(missing), { errorFilter: (error) => error === missing });
    there.fallback(() => 'later');
    await expect(there.fire()).rejects.toBe(missing);
    expect(there.stats).toMatchObject({ successes: 1, failures: 0, fallbacks: 0 });
  });

  test('falls back here unless `fallback.when` leaves it out, and is nothing to the breaker', async () => {
    const counts = (error: unknown): boolean => error !== missing;
    const breaker = { failures: 1, failureIf: counts };
    const all = setUp({ breaker, fallback: { value: 'later' } }).guard;
    expect(await all.run('charge', fails(missing))).toBe('later');
    const chosen = setUp({ breaker, fallback: { value: 'later', when: counts } }).guard;
    await expect(chosen.run('charge', fails(missing))).rejects.toBe(missing);
    expect(await chosen.run('charge', fails(new Error('down')))).toBe('later');
    expect([all.breaker?.state, chosen.breaker?.state]).toEqual(['closed', 'open']);
  });
});

test('a fallback gets the arguments and the error in opossum, the error and the account of the call here', async () => {
  const there = circuit(fails(missing));
  there.fallback((...args: unknown[]) => args);
  expect(await there.fire(7, 'EUR')).toEqual([7, 'EUR', missing]);

  const { guard } = setUp({
    fallback: { with: (error, { operation, outcome }) => [error, operation, outcome] },
  });
  expect(await guard.run('charge', fails(missing))).toEqual([missing, 'charge', 'failure']);
});

test('one trial closes the circuit of opossum; here it takes three, unless `successes` is 1', async () => {
  let isDown = true;
  const action = (): Promise<string> => (isDown ? fails(missing)() : Promise.resolve('paid'));
  const there = circuit(action, { resetTimeout: 1 });
  const halfOpen = new Promise((resolve) => there.once('halfOpen', resolve));
  await expect(there.fire()).rejects.toBe(missing);
  await halfOpen;
  isDown = false;
  await there.fire();
  expect(there.closed).toBe(true);

  for (const [successes, state] of [
    [1, 'closed'],
    [undefined, 'half_open'],
  ] as const) {
    const { guard, clock } = setUp({
      breaker: { failures: 1, openFor: '1s', ...(successes && { successes }) },
    });
    await expect(guard.run('charge', fails(missing))).rejects.toBe(missing);
    await clock.advance(1_000);
    await guard.run('charge', () => Promise.resolve('paid'));
    expect(guard.breaker?.state).toBe(state);
  }
});

describe('the codes of refusals and timeouts', () => {
  test('of an open circuit', async () => {
    const there = circuit(never);
    there.open();
    expect(await codeOf(there.fire())).toBe('EOPENBREAKER');

    const { guard } = setUp({ breaker: { failures: 1 } });
    await expect(guard.run('charge', fails(missing))).rejects.toBe(missing);
    await expect(guard.run('charge', never)).rejects.toMatchObject({
      code: 'ERR_KEELSON_BREAKER_OPEN',
      reason: 'open',
    });
    guard.breaker?.forceOpen();
    expect(await codeOf(guard.run('charge', never))).toBe('ERR_KEELSON_BREAKER_FORCED_OPEN');
  });

  test('of a call that takes too long', async () => {
    expect(await codeOf(circuit(never, { timeout: 1 }).fire())).toBe('ETIMEDOUT');

    const { guard, clock } = setUp({ timeout: { attempt: '1s' } });
    const call = codeOf(guard.run('charge', never));
    await clock.advance(1_000);
    expect(await call).toBe('ERR_KEELSON_TIMEOUT');
  });

  test('of a full bulkhead, which opens the circuit of opossum and not ours', async () => {
    const there = circuit(never, { capacity: 1 });
    void there.fire();
    expect(await codeOf(there.fire())).toBe('ESEMLOCKED');
    expect(await codeOf(there.fire())).toBe('ESEMLOCKED');
    expect(there.opened).toBe(true);

    const { guard } = setUp({ bulkhead: { concurrent: 1, queue: 0 }, breaker: { failures: 1 } });
    void guard.run('charge', never);
    await expect(guard.run('charge', never)).rejects.toMatchObject({
      code: 'ERR_KEELSON_BULKHEAD_FULL',
      reason: 'full',
    });
    expect(guard.breaker?.state).toBe('closed');
  });
});
