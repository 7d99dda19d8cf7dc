import { describe, expect, test } from 'vitest';
import { Gcra, REFUSED } from '../../../../src/policies/rate-limit/quota/gcra.ts';

/** An interval of a third of a second: no whole number of milliseconds. */
const THIRDS = new Gcra({ limit: 3, perMs: 1_000, burst: 3 });

describe('a rate of three per second', () => {
  test('has an interval of a third of a second, which is also the wait for a clock that has no number', () => {
    expect(THIRDS.intervalMs).toBeCloseTo(333.333, 3);
    expect(THIRDS.waitMs(REFUSED, Number.NaN)).toBe(THIRDS.intervalMs);
    expect(THIRDS.waitMs(REFUSED, Number.POSITIVE_INFINITY, 3)).toBe(THIRDS.intervalMs);
  });

  test('has no token for a clock that has no number', () => {
    expect([THIRDS.available(REFUSED, Number.NaN), THIRDS.available(REFUSED, 0)]).toEqual([0, 3]);
    expect(THIRDS.take(REFUSED, Number.NaN)).toBe(REFUSED);
  });

  test('has one token at the end of a pause, and the next a third of a second later', () => {
    const paused = THIRDS.pause(REFUSED, 10_000);
    expect(THIRDS.waitMs(paused, 0)).toBe(10_000);
    expect(THIRDS.waitMs(paused, 0, 2)).toBeCloseTo(10_333.333, 3);
    expect([THIRDS.available(paused, 9_999), THIRDS.available(paused, 10_000)]).toEqual([0, 1]);
  });

  test('is never paused for less than it is already', () => {
    const long = THIRDS.pause(REFUSED, 10_000);
    expect(THIRDS.pause(long, 5_000)).toBe(long);
  });
});

test('a share that is no whole number gives its tokens all the same', () => {
  const share = new Gcra({ limit: 10 / 3, perMs: 1_000, burst: 1 });
  expect(share.intervalMs).toBeCloseTo(300, 9);
  let tat = REFUSED;
  let taken = 0;
  for (let now = 0; now < 30_000; now += 1) {
    const next = share.take(tat, now);
    if (next === REFUSED) continue;
    tat = next;
    taken += 1;
  }
  expect(taken).toBeGreaterThanOrEqual(99);
  expect(taken).toBeLessThanOrEqual(100);
});
