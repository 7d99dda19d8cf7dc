import { describe, expect, test } from 'vitest';
import { systemRandom } from '../../../../src/core/random.ts';
import { backoffDelay } from '../../../../src/policies/retry/backoff.ts';

const shape = { strategy: 'decorrelated', delayMs: 100, factor: 2, maxDelayMs: 10_000, jitter: 0.5 } as const;

describe('decorrelated delays', () => {
  test.each([
    [0, 400, 100],
    [0.5, 400, 650],
    [0.25, 400, 375],
    [0.5, 100, 200],
    [0.5, 20, 100],
    [0.999, 1e9, 10_000],
  ])('with chance %d after one of %i ms: %i ms', (chance, previousMs, delayMs) => {
    expect(backoffDelay(shape, 3, () => chance, previousMs)).toBe(delayMs);
  });

  test('begin as if the delay before had been the first one', () => {
    expect(backoffDelay(shape, 0, () => 0.5)).toBe(200);
  });

  test('are nothing for a delay of nothing', () => {
    expect(backoffDelay({ ...shape, delayMs: 0 }, 4, systemRandom, 0)).toBe(0);
  });
});
