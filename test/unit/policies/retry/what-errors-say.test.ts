import { describe, expect, test } from 'vitest';
import { parseRetryAfter } from '../../../../src/core/http/retry-after.ts';
import { retryAfterOf } from '../../../../src/policies/retry/retry-after.ts';

const NOW = Date.UTC(2026, 0, 1);

describe('`retryAfterMs` of an error', () => {
  test.each([
    [0, 0],
    [1.5, 1.5],
    [-1, 7_000],
    [Number.POSITIVE_INFINITY, 7_000],
    [Number.NaN, 7_000],
    ['5', 7_000],
  ])('%j beside a header of 7 s means %d ms', (retryAfterMs, ms) => {
    expect(retryAfterOf({ retryAfterMs, headers: { 'retry-after': '7' } }, NOW)).toBe(ms);
  });
});

describe('headers in a plain object', () => {
  test.each([
    ['another header first', { 'content-length': '3', 'Retry-After': '7' }, 7_000],
    ['a number', { 'retry-after': 7 }, 7_000],
    ['only other headers', { 'content-length': '3' }, undefined],
    ['a list', { 'retry-after': ['7'] }, 7_000],
    ['nothing', null, undefined],
    ['a text', 'retry-after: 7', undefined],
  ])('with %s', (_, headers, ms) => {
    expect(retryAfterOf({ headers }, NOW)).toBe(ms);
  });

  test('of the response come after those of the error, where these say nothing to go by', () => {
    const response = { headers: { 'retry-after': '9' } };
    expect(retryAfterOf({ headers: { 'retry-after': 'soon' }, response }, NOW)).toBe(9_000);
  });
});

test('a date begins with its day of the week, and nothing before it', () => {
  expect(parseRetryAfter('x Thu, 01 Jan 2026 00:00:30 GMT', NOW)).toBeUndefined();
  expect(parseRetryAfter('Thu, 41 Jan 2026 00:00:30 GMT', NOW)).toBeUndefined();
});
