import { describe, expect, test } from 'vitest';
import { retryAfterOf, surelyNotSent } from '../../../../src/policies/retry/index.ts';
import { parseRetryAfter } from '../../../../src/policies/retry/retry-after.ts';

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
    ['a list', { 'retry-after': ['7'] }, undefined],
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

describe('that a request was surely not sent', () => {
  const refused = { code: 'ECONNREFUSED' };
  const under = (depth: number): object => {
    let error: object = refused;
    for (let level = 0; level < depth; level += 1) error = { cause: error };
    return error;
  };

  test('is seen under five causes, and no deeper', () => {
    expect([surelyNotSent(under(5)), surelyNotSent(under(6))]).toEqual([true, false]);
  });

  test('is seen no deeper inside of parts of parts either', () => {
    const nested = (depth: number): Error => {
      let error = Object.assign(new Error('refused'), refused);
      for (let level = 0; level < depth; level += 1)
        error = Object.assign(new AggregateError([error]), { code: 'E' });
      return error;
    };
    expect([surelyNotSent(nested(5)), surelyNotSent(nested(6))]).toEqual([true, false]);
  });

  test('is not said by an error without parts, unless by its own code', () => {
    expect(surelyNotSent(new AggregateError([]))).toBe(false);
    expect(surelyNotSent(Object.assign(new AggregateError([]), refused))).toBe(true);
  });

  test.each([null, undefined, 0, 'ECONNREFUSED', { code: 111 }, { code: ['ECONNREFUSED'] }, { cause: null }])(
    'is not said by %j',
    (error) => {
      expect(surelyNotSent(error)).toBe(false);
    },
  );
});
