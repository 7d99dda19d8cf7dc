import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { OptionChecker } from '../../../../src/core/options.ts';
import type { CacheOptions } from '../../../../src/policies/cache/index.ts';
import { resolveCache } from '../../../../src/policies/cache/options.ts';
import { cacheDefaults } from '../../../../src/policies/cache/options.ts';
import { optionTableProblems } from '../../../tidy/docs.ts';

function resolve(options: object): ReturnType<typeof resolveCache> {
  const check = new OptionChecker('cache');
  const resolved = resolveCache(options as CacheOptions, check);
  check.done();
  return resolved;
}

describe('the options of a cache', () => {
  test('have defaults for all but the ttl', () => {
    expect(resolve({ ttl: '1h' })).toEqual({
      ttlMs: 3_600_000,
      jitter: 0.1,
      maxEntries: 1_000,
      staleWhileRevalidateMs: 0,
      staleIfErrorMs: 0,
      negativeTtlMs: 0,
      negativeIf: undefined,
      retrySourceAfterMs: 1_000,
      shared: false,
      secondTier: undefined,
      secondTierTimeoutMs: 100,
    });
  });

  test.each<[string, object]>([
    ['`ttl` to be a duration, got undefined', {}],
    ['`ttl` to be a duration and at most 24.8 days, got Infinity', { ttl: Number.POSITIVE_INFINITY }],
    ['`ttl` to be a duration and at most 24.8 days, got NaN', { ttl: Number.NaN }],
    ['`ttl` to be a duration and at most 24.8 days, got -1', { ttl: -1 }],
    ["`ttl` to be a duration and at most 24.8 days, got '1 hour'", { ttl: '1 hour' }],
    ['`jitter` to be a number in [0, 1], got 10', { ttl: 1, jitter: 10 }],
    ['`jitter` to be a number in [0, 1], got NaN', { ttl: 1, jitter: Number.NaN }],
    ['`maxEntries` to be a whole number in [1, 1000000], got 0', { ttl: 1, maxEntries: 0 }],
    [
      '`maxEntries` to be a whole number in [1, 1000000], got Infinity',
      { ttl: 1, maxEntries: Number.POSITIVE_INFINITY },
    ],
    ['`staleWhileRevalidate` to be a duration', { ttl: 1, staleWhileRevalidate: Number.POSITIVE_INFINITY }],
    ['`staleIfError` to be a duration', { ttl: 1, staleIfError: Number.NaN }],
    ['`negativeTtl` to be a duration', { ttl: 1, negativeTtl: -1 }],
    ['`negativeTtl` to be set beside `negativeIf`', { ttl: 1, negativeIf: () => true }],
    ['`negativeIf` to be a function', { ttl: 1, negativeTtl: 1, negativeIf: 404 }],
    ['`retrySourceAfter` to be a duration', { ttl: 1, retrySourceAfter: '1x' }],
    ['`secondTier` to have `get`, `set` and `delete`', { ttl: 1, secondTier: { get: () => {} } }],
    ['`secondTier` to have `get`, `set` and `delete`', { ttl: 1, secondTier: null }],
    ['`secondTierTimeout` to be a duration of at least 1 ms', { ttl: 1, secondTierTimeout: 0 }],
  ])('are refused: expected %s', (expected, options) => {
    expect(() => resolve(options)).toThrow(`Expected ${expected}`);
  });

  test.each<[string, object]>([
    ["Say how long a value is fresh: '1m'.", {}],
    ['Give a function that takes the error and says whether it is an answer.', { ttl: 1, negativeIf: 404 }],
    ["Say how long those errors are remembered: '30s'.", { ttl: 1, negativeIf: () => true }],
    ['Use `redisTier({ url })`, or implement `CacheTier`.', { ttl: 1, secondTier: { get: () => {} } }],
    ['Use `redisTier({ url })`, or implement `CacheTier`.', { ttl: 1, secondTier: 'redis' }],
  ])('say what to do: %s', (remedy, options) => {
    expect(() => resolve(options)).toThrow(remedy);
  });

  test('stand in the README with the defaults of the code', () => {
    const { retrySourceAfterMs: _retry, secondTierTimeoutMs: _timeout, ...defaults } = cacheDefaults;
    const off = ['ttl', 'staleWhileRevalidate', 'staleIfError', 'negativeTtl', 'negativeIf', 'secondTier'];
    const options = { ...defaults, ...Object.fromEntries(off.map((name) => [name, undefined])) };
    expect(optionTableProblems(readFileSync('src/policies/cache/README.md', 'utf8'), options)).toEqual([]);
    expect(resolve({ ...defaults, ttl: 1 })).toEqual(resolve({ ttl: 1 }));
  });

  test('are refused all at once, with the nearest name for one that does not exist', () => {
    expect(() => resolve({ ttl: '1x', maxEntrys: 3 })).toThrow(
      /Unknown option `maxEntrys`\. Did you mean `maxEntries`\?.*Expected `ttl` to be a duration/,
    );
  });
});
