import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Taken } from '../../src/policies/rate-limit/index.ts';
import { granted, inTicks, refused, TICKS_PER_MS } from '../../src/policies/rate-limit/limiter-store.ts';
import { Gcra, REFUSED } from '../../src/policies/rate-limit/quota/gcra.ts';

/** Limits that divide a millisecond's ticks: an interval is a whole number of them, and nothing is rounded. */
const even = fc.record({
  limit: fc.constantFrom(1, 2, 4, 5, 8, 10, 20, 50, 100, 1_000),
  perMs: fc.integer({ min: 1, max: 5_000 }),
  burst: fc.integer({ min: 1, max: 50 }),
});
const gaps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2_000 })), { maxLength: 100 });

/** What a store does with the ticks of one key, as its statement says it. */
class TickBucket {
  readonly #rate: ReturnType<typeof inTicks>;
  #tat = 0;

  constructor(rate: Parameters<typeof inTicks>[0]) {
    this.#rate = inTicks(rate);
  }

  take(nowMs: number): Taken {
    const now = nowMs * TICKS_PER_MS;
    const next = Math.max(this.#tat, now) + this.#rate.interval;
    if (next - now > this.#rate.tolerance) return refused(this.#tat - now, this.#rate);
    this.#tat = next;
    return granted(next - now, this.#rate);
  }
}

/** The same answer from the bucket in memory. */
function inMemory(gcra: Gcra, tat: number, now: number): { readonly tat: number; readonly taken: Taken } {
  const next = gcra.take(tat, now);
  if (next === REFUSED)
    return { tat, taken: { granted: false, retryAfterMs: gcra.waitMs(tat, now), remaining: 0 } };
  return { tat: next, taken: { granted: true, retryAfterMs: 0, remaining: gcra.available(next, now) } };
}

test('a bucket in ticks gives the tokens, the rest and the waits of the one in memory', () => {
  fc.assert(
    fc.property(even, gaps, (rate, pauses) => {
      const gcra = new Gcra(rate);
      const bucket = new TickBucket(rate);
      let tat = REFUSED;
      let now = 0;
      for (const pause of pauses) {
        now += pause;
        const expected = inMemory(gcra, tat, now);
        tat = expected.tat;
        const { retryAfterMs, ...taken } = bucket.take(now);
        expect(taken).toEqual({ granted: expected.taken.granted, remaining: expected.taken.remaining });
        expect(retryAfterMs).toBeCloseTo(expected.taken.retryAfterMs, 6);
      }
    }),
  );
});

test('an interval is rounded up, so that a store never gives more than the limit, and is never nothing', () => {
  expect(inTicks({ limit: 3, perMs: 1_000, burst: 2 })).toEqual({
    interval: 5_333_334,
    tolerance: 10_666_668,
  });
  expect(inTicks({ limit: 1_000_000_000, perMs: 1, burst: 1 })).toEqual({ interval: 1, tolerance: 1 });
});

test('what is left and the wait stay possible where a state is further ahead, or behind, than the rate says', () => {
  const rate = inTicks({ limit: 1, perMs: 1, burst: 2 });
  expect(granted(10 * rate.tolerance, rate).remaining).toBe(0);
  expect(refused(-rate.tolerance, rate)).toEqual({
    granted: false,
    retryAfterMs: 1 / TICKS_PER_MS,
    remaining: 0,
  });
});
