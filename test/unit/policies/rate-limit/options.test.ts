import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ConfigError } from '../../../../src/core/errors.ts';
import { OptionChecker } from '../../../../src/core/options.ts';
import type { LimiterStore, RateLimitOptions } from '../../../../src/policies/rate-limit/index.ts';
import { rateLimit } from '../../../../src/policies/rate-limit/index.ts';
import { resolveRateLimit } from '../../../../src/policies/rate-limit/options.ts';
import { rateLimitDefaults } from '../../../../src/policies/rate-limit/options.ts';
import { optionTableProblems } from '../../../tidy/docs.ts';

const store: LimiterStore = { take: () => Promise.reject(new Error('unused')), close: async () => {} };

function problemsOf(options: object): readonly string[] {
  const check = new OptionChecker('rateLimit');
  resolveRateLimit(options as RateLimitOptions, check);
  try {
    check.done();
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
}

test('two options are enough', () => {
  const check = new OptionChecker('rateLimit');
  expect(resolveRateLimit({ limit: 60, per: '1m' }, check)).toEqual({
    algorithm: 'window',
    limit: 60,
    perMs: 60_000,
    burst: 60,
    maxWaitMs: 0,
    queue: 100,
    store: undefined,
    storeTimeoutMs: 250,
    onStoreFailure: 'failOpen',
    processes: 1,
  });
  expect(problemsOf({ limit: 60, per: '1m' })).toEqual([]);
});

test('every option can be given', () => {
  const options = {
    algorithm: 'bucket',
    limit: 1,
    per: 1,
    burst: 2,
    maxWait: '1s',
    queue: 0,
    store,
    storeTimeout: 5,
  };
  expect(problemsOf({ ...options, onStoreFailure: 'localShare', processes: 4 })).toEqual([]);
});

test.each([
  [{ per: '1s' }, 'Expected `limit` to be given, got undefined. Say how many calls may start in a period.'],
  [
    { limit: 5 },
    "Expected `per` to be given, got undefined. Say how long the period is, such as '1s' or '1m'.",
  ],
  [{ limit: 0, per: '1s' }, 'Expected `limit` to be a whole number in [1, 1000000], got 0 (number).'],
  [{ limit: Number.NaN, per: '1s' }, 'Expected `limit` to be a whole number in [1, 1000000], got NaN'],
  [
    { limit: Number.POSITIVE_INFINITY, per: '1s' },
    'Expected `limit` to be a whole number in [1, 1000000], got Infinity',
  ],
  [{ limit: 1.5, per: '1s' }, 'Expected `limit` to be a whole number in [1, 1000000], got 1.5'],
  [{ limit: '60', per: '1s' }, "Expected `limit` to be a whole number in [1, 1000000], got '60' (string)."],
  [{ limit: 1, per: 0 }, 'Expected `per` to be a duration of at least 1 ms and at most 24.8 days, got 0'],
  [{ limit: 1, per: 'minute' }, 'Expected `per` to be a duration of at least 1 ms and at most 24.8 days'],
  [
    { limit: 1, per: '1s', algorithm: 'bucket', burst: 0 },
    'Expected `burst` to be a whole number in [1, 1000000], got 0 (number).',
  ],
  [
    { limit: 1, per: '1d', algorithm: 'bucket', burst: 2_000 },
    'Expected `burst` to be at most 1825, got 2000 (number). `limit` gives no more in five years.',
  ],
  [{ limit: 1, per: '1s', maxWait: -1 }, 'Expected `maxWait` to be a duration and at most 24.8 days, got -1'],
  [
    { limit: 1, per: '1s', queue: -1 },
    'Expected `queue` to be a whole number of at least 0, got -1 (number).',
  ],
  [
    { limit: 1, per: '1s', keys: 500 },
    'Unknown option `keys`. Use `guard.for(key)`: each key then has a limit of its own. `keys: { max }` of the guard says how many keys it remembers.',
  ],
  [
    { limit: 1, per: '1s', store: 'redis' },
    "Expected `store` to be a limiter store, got 'redis' (string). Use sqliteStore(), redisStore(), postgresStore(), or an object of your own with the methods of `LimiterStore`.",
  ],
  [{ limit: 1, per: '1s', store: {} }, 'Expected `store` to be a limiter store'],
  [{ limit: 1, per: '1s', store: { take: 1 } }, 'Expected `store` to be a limiter store'],
  [{ limit: 1, per: '1s', store: null }, 'Expected `store` to be a limiter store, got null.'],
  [{ limit: 1, per: '1s', storeTimeout: 0 }, 'Expected `storeTimeout` to be a duration of at least 1 ms'],
  [
    { limit: 1, per: '1s', onStoreFailure: 'open' },
    "Expected `onStoreFailure` to be 'failOpen', 'failClosed' or 'localShare', got 'open' (string). The default is 'failOpen'.",
  ],
  [{ limit: 1, per: '1s', processes: 0 }, 'Expected `processes` to be a whole number of at least 1, got 0'],
  [{ limit: 1, per: '1s', bursts: 3 }, 'Unknown option `bursts`. Did you mean `burst`?'],
])('%j is one problem', (options, problem) => {
  const problems = problemsOf(options);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(problem);
});

test('a burst may be what the limit gives in five years', () => {
  expect(problemsOf({ algorithm: 'bucket', limit: 1, per: '1d', burst: 1_825 })).toEqual([]);
  expect(problemsOf({ algorithm: 'bucket', limit: 2, per: '1d', burst: 3_650 })).toEqual([]);
  expect(problemsOf({ algorithm: 'bucket', limit: 2, per: '1d', burst: 3_651 })).toHaveLength(1);
});

test('all problems come in one error', () => {
  const options = { algorithm: 'bucket', limit: 0, per: 'x', burst: -1 } as unknown as RateLimitOptions;
  expect(() => rateLimit(options)).toThrow(
    /^rateLimit: Expected `limit` .* Expected `per` .* Expected `burst` /,
  );
});

test("the table of options has the code's defaults", () => {
  const page = readFileSync('src/policies/rate-limit/README.md', 'utf8');
  const without = { limit: undefined, per: undefined, burst: undefined, store: undefined };
  expect(optionTableProblems(page, { ...without, ...rateLimitDefaults })).toEqual([]);
});
