import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BACKOFF_STRATEGIES } from '../../src/policies/retry/backoff.ts';
import { backoffDelay } from '../../src/policies/retry/backoff.ts';
import { RetryBudget } from '../../src/policies/retry/budget.ts';
import type { BackoffStrategy } from '../../src/policies/retry/index.ts';

const shape = fc.record({
  strategy: fc.constantFrom(...BACKOFF_STRATEGIES),
  delayMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
  factor: fc.double({ min: 1, max: 10, noNaN: true }),
  maxDelayMs: fc.double({ min: 0, max: 1e7, noNaN: true }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const retryNumber = fc.integer({ min: 0, max: 100 });

const FIBONACCI = [1, 1, 2, 3, 5, 8, 13, 21, 34, 55];
const BASES: Readonly<
  Record<Exclude<BackoffStrategy, 'decorrelated'>, (delay: number, factor: number, n: number) => number>
> = {
  exponential: (delay, factor, n) => delay * factor ** n,
  linear: (delay, _factor, n) => delay * (n + 1),
  constant: (delay) => delay,
  fibonacci: (delay, _factor, n) => delay * (FIBONACCI[n] ?? Number.NaN),
};

test('a delay is min(maxDelay, base * (1 ± jitter)), whatever the strategy', () => {
  fc.assert(
    fc.property(shape, fc.integer({ min: 0, max: 9 }), chance, (backoff, n, random) => {
      fc.pre(backoff.strategy !== 'decorrelated');
      const base = BASES[backoff.strategy](backoff.delayMs, backoff.factor, n);
      const expected = Math.min(backoff.maxDelayMs, base * (1 + backoff.jitter * (2 * random - 1)));
      expect(backoffDelay(backoff, n, () => random)).toBeCloseTo(expected, 3);
    }),
    { numRuns: 2_000 },
  );
});

test('no delay is negative or above the cap', () => {
  fc.assert(
    fc.property(
      shape,
      retryNumber,
      chance,
      fc.double({ min: 0, max: 1e7, noNaN: true }),
      (backoff, n, random, previous) => {
        const delay = backoffDelay(backoff, n, () => random, previous);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(backoff.maxDelayMs);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('a decorrelated delay lies between the first delay and three times the one before', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 1e4, noNaN: true }),
      fc.double({ min: 1, max: 10, noNaN: true }),
      chance,
      (first, times, random) => {
        const backoff = {
          strategy: 'decorrelated',
          delayMs: first,
          factor: 2,
          maxDelayMs: 1e9,
          jitter: 0.5,
        } as const;
        const delay = backoffDelay(backoff, 3, () => random, first * times);
        expect(delay).toBeGreaterThanOrEqual(first);
        expect(delay).toBeLessThanOrEqual(first * times * 3 * (1 + 1e-9));
      },
    ),
  );
});

const call = fc.record({
  afterMs: fc.integer({ min: 0, max: 3_000 }),
  retries: fc.integer({ min: 0, max: 4 }),
});

test('a budget lets through at most max(floor, ratio * calls) retries in any ten seconds', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 0, max: 5 }),
      fc.array(call, { maxLength: 100 }),
      (ratio, floor, calls) => {
        const budget = new RetryBudget({ ratio, floor });
        const seen: { second: number; calls: number; retries: number }[] = [];
        let now = 5_000;
        for (const { afterMs, retries } of calls) {
          now += afterMs;
          const second = Math.floor(now / 1_000);
          budget.call(now);
          const entry = { second, calls: 1, retries: 0 };
          seen.push(entry);
          for (let i = 0; i < retries; i += 1) {
            const window = seen.filter((one) => one.second > second - 10);
            const allowed = Math.max(floor, ratio * window.length);
            const used = window.reduce((sum, one) => sum + one.retries, 0);
            const granted = budget.tryRetry(now);
            expect(granted).toBe(used + 1 <= allowed);
            if (granted) entry.retries += 1;
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('chance reaches both ends of the jitter', () => {
  const backoff = {
    strategy: 'exponential',
    delayMs: 1_000,
    factor: 2,
    maxDelayMs: 60_000,
    jitter: 0.1,
  } as const;
  expect(backoffDelay(backoff, 2, () => 0)).toBeCloseTo(3_600, 6);
  expect(backoffDelay(backoff, 2, () => 0.5)).toBeCloseTo(4_000, 6);
  expect(backoffDelay(backoff, 2, () => 1 - Number.EPSILON)).toBeCloseTo(4_400, 6);
});

test('the defaults of the earlier systems: 1, 2, 4, 8, 16, 32 seconds, then the cap of 60', () => {
  const backoff = {
    strategy: 'exponential',
    delayMs: 1_000,
    factor: 2,
    maxDelayMs: 60_000,
    jitter: 0,
  } as const;
  expect([0, 1, 2, 3, 4, 5, 6, 20].map((n) => backoffDelay(backoff, n, Math.random))).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
  ]);
});
