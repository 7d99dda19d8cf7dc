import { describe, expect, test } from 'vitest';
import type { Guard, GuardOptions } from '../../../src/index.ts';
import { createKeelson } from '../../../src/index.ts';
import { FakeClock, settlePromises } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';
import { failing } from '../../support/failing.ts';

function setUp(options: GuardOptions): { guard: Guard; clock: FakeClock } {
  const clock = new FakeClock();
  return { clock, guard: createKeelson({ clock, warn: () => {} }).guard('g', options) };
}

describe.each<[string, (guard: Guard) => Guard]>([
  ['a guard', (guard) => guard],
  ['the guard of a key', (guard) => guard.for('acme')],
])('an update keeps what it does not change of %s', (_, pick) => {
  const budget = { ratio: 0, floor: 3 };
  const retry = { retries: 3, delay: 0, budget } as const;

  async function attempts(guard: Guard, clock: FakeClock): Promise<number> {
    const ending = guard.outcome('x', failing(9));
    await clock.advance(10);
    return (await ending).attempts;
  }

  test.each<[string, GuardOptions]>([
    ['another policy', { retry, bulkhead: { concurrent: 6 } }],
    ['the retry, with the same budget', { retry: { ...retry, retries: 4 } }],
    ['the budget, with a floor that is used up too', { retry: { ...retry, budget: { ratio: 0, floor: 2 } } }],
  ])('the spent retry budget, by an update of %s', async (__, options) => {
    const { guard, clock } = setUp({ retry, bulkhead: { concurrent: 5 } });
    const asked = pick(guard);
    expect([await attempts(asked, clock), await attempts(asked, clock)]).toEqual([4, 1]);
    guard.update(options);
    expect(await attempts(pick(guard), clock)).toBe(1);
    expect(await attempts(asked, clock)).toBe(1);
    await clock.advance(11_000);
    expect(await attempts(asked, clock)).toBeGreaterThan(1);
  });

  test('the open circuit, also if its options change', async () => {
    const { guard } = setUp({ breaker: { failures: 1 }, bulkhead: { concurrent: 5 } });
    const asked = pick(guard);
    await asked.outcome('x', failing(1));
    for (const failures of [1, 2]) {
      guard.update({ breaker: { failures }, bulkhead: { concurrent: 6 } });
      expect([asked.breaker?.state, pick(guard).breaker?.state]).toEqual(['open', 'open']);
    }
  });

  test('the used-up limit', async () => {
    const rateLimit = { limit: 1, per: '1h' } as const;
    const { guard } = setUp({ rateLimit });
    await pick(guard).run('x', failing(0));
    guard.update({ rateLimit, bulkhead: { concurrent: 6 } });
    expect(await pick(guard).outcome('x', failing(0))).toMatchObject({ outcome: 'rejected' });
  });

  test('the slots that calls hold, and their queue', async () => {
    const { guard } = setUp({ bulkhead: { concurrent: 2, queue: 10 } });
    const asked = pick(guard);
    const gates = Array.from({ length: 6 }, () => deferred<string>());
    let running = 0;
    let peak = 0;
    const calls = gates.map(({ promise }) =>
      asked.outcome('x', async () => {
        running += 1;
        peak = Math.max(peak, running);
        await promise;
        running -= 1;
      }),
    );
    for (const queue of [11, 12, 13]) guard.update({ bulkhead: { concurrent: 2, queue } });
    expect(running).toBe(2);
    guard.update({ bulkhead: { concurrent: 3, queue: 13 } });
    await settlePromises();
    expect(running).toBe(3);
    guard.update({ bulkhead: { concurrent: 1, queue: 13 } });
    gates[0]?.resolve('done');
    gates[1]?.resolve('done');
    await settlePromises();
    expect(running).toBe(1);
    for (const gate of gates) gate.resolve('done');
    expect((await Promise.all(calls)).map(({ outcome }) => outcome)).toEqual(Array(6).fill('success'));
    expect([peak, running]).toEqual([3, 0]);
  });

  test('and whoever holds it has the newer options', async () => {
    const { guard, clock } = setUp({ retry: { retries: 0 } });
    const asked = pick(guard);
    guard.update({ retry: { retries: 3, delay: 0 }, fallback: { value: 'other' }, cache: { ttl: '1m' } });
    expect(await attempts(asked, clock)).toBe(4);
    expect(asked.describe()).toContain('retry: 3 times');
    expect(await asked.run('x', failing(0), { cacheKey: 'a' })).toBe(await asked.cache?.get('x', 'a'));
  });
});
