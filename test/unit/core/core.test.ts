import { describe, expect, test } from 'vitest';
import { isRejection, KeelsonError, RejectedError, TimeoutError } from '../../../src/core/errors.ts';
import { Execution } from '../../../src/core/execution.ts';
import { formatDuration, MAX_TIMER_MS, parseDuration } from '../../../src/core/time/duration.ts';
import { requestIdMaker } from '../../../src/signals/request-id.ts';
import { FakeClock, seededRandom } from '../../../src/testing/index.ts';

describe('a duration', () => {
  test.each([
    [0, 0],
    [250, 250],
    ['250ms', 250],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ])('%j is %d ms', (value, ms) => {
    expect(parseDuration(value)).toBe(ms);
  });

  test.each([
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    '5',
    's',
    '1 s',
    '-1s',
    '1e3s',
    '2x',
    null,
    {},
    true,
  ])('is not %j', (value) => {
    expect(parseDuration(value)).toBeUndefined();
  });

  test.each([
    [0, '0ms'],
    [12.345, '12.35ms'],
    [1_500, '1.5s'],
    [90_000, '1.5m'],
    [MAX_TIMER_MS, '24.86d'],
  ])('of %d ms reads %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('an error', () => {
  test('carries its code, its cause, what to do, and who threw it', () => {
    const cause = new Error('inner');
    const error = new RejectedError('ERR_X', 'full', 'No room.', {
      cause,
      hint: 'Make room.',
      source: { guard: 'payments', policy: 'bulkhead' },
      retryAfterMs: 5,
    });
    expect(error).toBeInstanceOf(KeelsonError);
    expect(error).toMatchObject({
      name: 'RejectedError',
      code: 'ERR_X',
      reason: 'full',
      cause,
      hint: 'Make room.',
      source: { guard: 'payments', policy: 'bulkhead' },
      retryAfterMs: 5,
    });
    expect(new TimeoutError('total', 5)).toMatchObject({
      name: 'TimeoutError',
      code: 'ERR_KEELSON_TIMEOUT',
      scope: 'total',
    });
  });

  test('of another copy of the package is known as a rejection by its shape', () => {
    const foreign = Object.assign(new Error('open'), { name: 'RejectedError', reason: 'open' });
    expect(isRejection(foreign)).toBe(true);
    expect(isRejection(new Error('open'))).toBe(false);
    expect(isRejection({ name: 'RejectedError', reason: 'open' })).toBe(false);
    expect(isRejection(undefined)).toBe(false);
  });
});

describe('an execution', () => {
  test('makes no signal that nobody asks for, and keeps the one that it made', () => {
    const execution = new Execution<number>({ abandoned: 0 });
    expect(execution.start(() => 5, undefined)).toBe(5);
    expect(execution.signal).toBe(execution.signal);
    execution.interrupt(new Error('too late'));
    expect(execution).toMatchObject({ interrupted: false, signal: { aborted: false } });
  });
});

describe('a request id', () => {
  test('has the second in UTC and fifteen random digits', () => {
    const clock = new FakeClock(Date.UTC(2025, 10, 16, 14, 30, 25, 999));
    const make = requestIdMaker(clock, () => 0xabc12 / 0x100000);
    expect(make()).toBe('req_20251116_143025_abc12abc12abc12');
    clock.block(1);
    expect(make()).toBe('req_20251116_143026_abc12abc12abc12');
    expect(requestIdMaker(clock, () => 0)()).toMatch(/_0{15}$/);
    expect(requestIdMaker(clock, () => 1 - Number.EPSILON)()).toMatch(/_f{15}$/);
  });
});

describe('the seeded random source', () => {
  test('gives the same numbers for the same seed, all in [0, 1)', () => {
    const numbers = (seed: number): number[] => Array.from({ length: 100 }, seededRandom(seed));
    expect(numbers(7)).toEqual(numbers(7));
    expect(numbers(7)).not.toEqual(numbers(8));
    expect(numbers(7).every((number) => number >= 0 && number < 1)).toBe(true);
    const mean = numbers(7).reduce((sum, number) => sum + number, 0) / 100;
    expect(mean).toBeGreaterThan(0.4);
    expect(mean).toBeLessThan(0.6);
  });
});
