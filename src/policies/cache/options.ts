import type { OptionChecker } from '../../core/options.ts';
import type { Duration } from '../../core/time/duration.ts';
import type { CacheTier } from './tier.ts';

/** How long a value is worth keeping, and what may be served when it no longer is. */
export interface CacheOptions {
  /** How long a value is fresh. `0` keeps nothing fresh, and still lets callers of the same key share one load. */
  readonly ttl: Duration;
  /**
   * The share of `ttl` by which chance makes it shorter, 0 to 1, so that values that were loaded together do not expire together. A value
   * is never fresh for longer than `ttl`.
   * @defaultValue 0.1
   */
  readonly jitter?: number;
  /** Values that are kept; beyond it the one that was not used for the longest time goes: 1 to a million. @defaultValue 1000 */
  readonly maxEntries?: number;
  /**
   * How long beyond its ttl a value is served at once, while one load refreshes it in the background (`stale-while-revalidate` of RFC 5861).
   * @defaultValue off
   */
  readonly staleWhileRevalidate?: Duration;
  /** How long beyond its ttl a value is served where loading a new one fails (`stale-if-error` of RFC 5861). @defaultValue off */
  readonly staleIfError?: Duration;
  /** How long an error is remembered and given to the next callers. Rejections of guards never are. @defaultValue off */
  readonly negativeTtl?: Duration;
  /**
   * Which errors are answers, such as "there is no such user". They are remembered for `negativeTtl` and replace the value that was there, so
   * that `staleIfError` does not apply to them. One that throws means no.
   * @defaultValue every error is remembered if there is no stale value to serve
   */
  readonly negativeIf?: (error: unknown) => boolean;
  /** How long after a failed load the source is left alone if there is a stale value to serve. @defaultValue '1s' */
  readonly retrySourceAfter?: Duration;
  /**
   * Whether the keys of a guard, which `guard.for(key)` gives, share their values. Each key has values of its own otherwise, so that no tenant gets
   * what was loaded for another. @defaultValue false
   */
  readonly shared?: boolean;
  /** A second tier that processes share, such as `redisTier({ url })`. @defaultValue none */
  readonly secondTier?: CacheTier;
  /** How long a call waits for the second tier; it then goes on without. @defaultValue '100ms' */
  readonly secondTierTimeout?: Duration;
}

/** The numbers that apply where an option is left out. */
export const cacheDefaults = {
  jitter: 0.1,
  maxEntries: 1_000,
  retrySourceAfter: '1s',
  retrySourceAfterMs: 1_000,
  shared: false,
  secondTierTimeout: '100ms',
  secondTierTimeoutMs: 100,
} as const;

/** The index of all entries is allocated when the cache is made: some 24 bytes for each. */
const MOST_ENTRIES = 1_000_000;

/** {@link CacheOptions} with every default filled in; a window that is off is 0. */
export interface ResolvedCache {
  readonly ttlMs: number;
  readonly jitter: number;
  readonly maxEntries: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly negativeTtlMs: number;
  readonly negativeIf: ((error: unknown) => boolean) | undefined;
  readonly retrySourceAfterMs: number;
  readonly shared: boolean;
  readonly secondTier: CacheTier | undefined;
  readonly secondTierTimeoutMs: number;
}

const KEYS = [
  'ttl',
  'jitter',
  'maxEntries',
  'staleWhileRevalidate',
  'staleIfError',
  'negativeTtl',
  'negativeIf',
  'retrySourceAfter',
  'shared',
  'secondTier',
  'secondTierTimeout',
] as const;

/** Checks the options and fills in the defaults. */
export function resolveCache(options: CacheOptions, check: OptionChecker): ResolvedCache {
  check.keys(options, KEYS);
  const { ttl, negativeIf, negativeTtl, secondTier } = options;
  if (ttl === undefined)
    check.problem('ttl', 'to be a duration', ttl, "Say how long a value is fresh: '1m'.");
  check.filter(
    'negativeIf',
    negativeIf,
    'Give a function that takes the error and says whether it is an answer.',
  );
  if (negativeIf !== undefined && negativeTtl === undefined) {
    check.problem(
      'negativeTtl',
      'to be set beside `negativeIf`',
      negativeTtl,
      "Say how long those errors are remembered: '30s'.",
    );
  }
  checkTier(secondTier, check);
  const entries = { min: 1, max: MOST_ENTRIES, integer: true };
  return {
    ttlMs: check.duration('ttl', ttl, 0, 0),
    jitter: check.number('jitter', options.jitter, { min: 0, max: 1 }, cacheDefaults.jitter),
    maxEntries: check.number('maxEntries', options.maxEntries, entries, cacheDefaults.maxEntries),
    staleWhileRevalidateMs: check.duration('staleWhileRevalidate', options.staleWhileRevalidate, 0, 0),
    staleIfErrorMs: check.duration('staleIfError', options.staleIfError, 0, 0),
    negativeTtlMs: check.duration('negativeTtl', negativeTtl, 0, 0),
    negativeIf,
    retrySourceAfterMs: check.duration(
      'retrySourceAfter',
      options.retrySourceAfter,
      0,
      cacheDefaults.retrySourceAfterMs,
    ),
    shared: check.boolean('shared', options.shared, cacheDefaults.shared),
    secondTier,
    secondTierTimeoutMs: check.duration(
      'secondTierTimeout',
      options.secondTierTimeout,
      1,
      cacheDefaults.secondTierTimeoutMs,
    ),
  };
}

function checkTier(tier: CacheTier | undefined, check: OptionChecker): void {
  if (tier === undefined) return;
  const methods = ['get', 'set', 'delete'] as const;
  if (typeof tier === 'object' && tier !== null && methods.every((name) => typeof tier[name] === 'function'))
    return;
  check.problem(
    'secondTier',
    'to have `get`, `set` and `delete`',
    tier,
    'Use `redisTier({ url })`, or implement `CacheTier`.',
  );
}
