import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffDelay } from '../../src/policies/retry/index.ts';

const shape = fc.record({
  delayMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
  factor: fc.double({ min: 1, max: 10, noNaN: true }),
  maxDelayMs: fc.double({ min: 0, max: 1e7, noNaN: true }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const retryNumber = fc.integer({ min: 0, max: 100 });

test('a delay is within the jitter around delay * factor^n, and never above the cap', () => {
  fc.assert(
    fc.property(shape, retryNumber, chance, (backoff, n, random) => {
      const { delayMs, factor, maxDelayMs, jitter } = backoff;
      const delay = backoffDelay(backoff, n, () => random);
      const base = delayMs * factor ** n;
      const tolerance = 1 + 1e-9;
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThanOrEqual(maxDelayMs);
      expect(delay).toBeLessThanOrEqual(base * (1 + jitter) * tolerance);
      expect(delay * tolerance).toBeGreaterThanOrEqual(Math.min(maxDelayMs, base * (1 - jitter)));
    }),
    { numRuns: 2_000 },
  );
});

test('chance reaches both ends of the jitter', () => {
  const backoff = { delayMs: 1_000, factor: 2, maxDelayMs: 60_000, jitter: 0.1 };
  expect(backoffDelay(backoff, 2, () => 0)).toBeCloseTo(3_600, 6);
  expect(backoffDelay(backoff, 2, () => 0.5)).toBeCloseTo(4_000, 6);
  expect(backoffDelay(backoff, 2, () => 1 - Number.EPSILON)).toBeCloseTo(4_400, 6);
});

test('the defaults of the earlier systems: 1, 2, 4, 8, 16, 32 seconds, then the cap of 60', () => {
  const backoff = { delayMs: 1_000, factor: 2, maxDelayMs: 60_000, jitter: 0 };
  expect([0, 1, 2, 3, 4, 5, 6, 20].map((n) => backoffDelay(backoff, n, Math.random))).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
  ]);
});
