import type { OptionChecker } from '../../core/options.ts';
import type { Duration } from '../../core/time/duration.ts';
import type { LimiterStore } from './limiter-store.ts';
import type { Rate } from './quota/gcra.ts';

/** What happens to a call while the shared store cannot be asked. */
export type StoreFailure = 'failOpen' | 'failClosed' | 'localShare';

/**
 * How calls are counted. `window`: an exact sliding log; no period of the length `per`, wherever it begins, has more than `limit` calls. `bucket`: a
 * token bucket; `burst` calls at once after a rest, then one every `per / limit`. In one period that is up to `limit + burst - 1` calls.
 */
export type RateLimitAlgorithm = 'window' | 'bucket';

/** How many calls may start in a period, and how many may wait for their turn. */
export interface RateLimitOptions {
  /** Calls in a period: 1 to 10,000; to 1,000,000 with `algorithm: 'bucket'`. */
  readonly limit: number;
  /** The period: 1 ms to 24.8 days. */
  readonly per: Duration;
  /**
   * How calls are counted: `window` never lets more than `limit` start in any period; `bucket` spreads them, and lets up to `limit + burst - 1` start in
   * one period. @defaultValue 'window'
   */
  readonly algorithm?: RateLimitAlgorithm;
  /**
   * With `algorithm: 'bucket'`, calls at once after a time without any: 1 to 1,000,000, and no more than `limit` allows in five years.
   * @defaultValue `limit`
   */
  readonly burst?: number;
  /** How long a call may wait for its turn; a call that would have to wait longer is refused at once. @defaultValue 0 */
  readonly maxWait?: Duration;
  /** Calls that wait, first come first served: 0 or more. @defaultValue 100 */
  readonly queue?: number;
  /** Where the limit is counted together with other processes. @defaultValue in this process alone */
  readonly store?: LimiterStore;
  /** How long the store has for an answer. @defaultValue '250ms' */
  readonly storeTimeout?: Duration;
  /**
   * What happens while the store cannot be asked. `failOpen`: the call goes on; `failClosed`: it is refused; `localShare`: this process keeps
   * its part of the limit, `limit / processes`. @defaultValue 'failOpen'
   */
  readonly onStoreFailure?: StoreFailure;
  /** Processes that share the limit, for `localShare`: 1 or more. @defaultValue 1 */
  readonly processes?: number;
}

/** What applies where an option is left out. */
export const rateLimitDefaults = {
  algorithm: 'window',
  maxWait: 0,
  queue: 100,
  storeTimeout: '250ms',
  onStoreFailure: 'failOpen',
  processes: 1,
} as const;

/** {@link RateLimitOptions} with every default filled in. */
export interface ResolvedRateLimit extends Rate {
  readonly algorithm: RateLimitAlgorithm;
  readonly maxWaitMs: number;
  readonly queue: number;
  readonly store: LimiterStore | undefined;
  readonly storeTimeoutMs: number;
  readonly onStoreFailure: StoreFailure;
  readonly processes: number;
}

const KEYS = [
  'limit',
  'per',
  'algorithm',
  'burst',
  'maxWait',
  'queue',
  'store',
  'storeTimeout',
  'onStoreFailure',
  'processes',
] as const;
/** `keys` was an option of the rate limit that nothing read. */
const REMEDIES = {
  keys: 'Use `guard.for(key)`: each key then has a limit of its own. `keys: { max }` of the guard says how many keys it remembers.',
} as const;
const STORE_FAILURES: readonly unknown[] = ['failOpen', 'failClosed', 'localShare'];
const DEFAULT_STORE_TIMEOUT_MS = 250;
const LIMIT_REMEDY = 'Say how many calls may start in a period.';
/** The log of a window keeps the time of each call that counts: 80 kB for 10,000 calls. */
const MAX_WINDOW_LIMIT = 10_000;
const FIVE_YEARS_MS = 5 * 365 * 86_400_000;
const COUNT = { min: 1, max: 1_000_000, integer: true } as const;

/** Checks the options and fills in the defaults. */
export function resolveRateLimit(options: RateLimitOptions, check: OptionChecker): ResolvedRateLimit {
  check.keys(options, KEYS, REMEDIES);
  const { maxWait, queue, storeTimeout, processes } = options;
  const limit = required(options, 'limit', LIMIT_REMEDY, check)
    ? check.number('limit', options.limit, COUNT, 1, LIMIT_REMEDY)
    : 1;
  const perMs = required(options, 'per', "Say how long the period is, such as '1s' or '1m'.", check)
    ? check.duration('per', options.per, 1, 1_000)
    : 1_000;
  const algorithm = checkedAlgorithm(options.algorithm, check);
  if (algorithm === 'window') checkWindow(options, limit, check);
  return {
    algorithm,
    limit,
    perMs,
    burst: algorithm === 'window' ? limit : checkedBurst(options.burst, limit, perMs, check),
    maxWaitMs: check.duration('maxWait', maxWait, 0, rateLimitDefaults.maxWait),
    queue: check.number('queue', queue, { min: 0, integer: true }, rateLimitDefaults.queue),
    store: checkedStore(options.store, algorithm, check),
    storeTimeoutMs: check.duration('storeTimeout', storeTimeout, 1, DEFAULT_STORE_TIMEOUT_MS),
    onStoreFailure: checkedFailure(options.onStoreFailure, check),
    processes: check.number('processes', processes, { min: 1, integer: true }, rateLimitDefaults.processes),
  };
}

function required(
  options: RateLimitOptions,
  key: 'limit' | 'per',
  remedy: string,
  check: OptionChecker,
): boolean {
  if (options[key] !== undefined) return true;
  check.problem(key, 'to be given', undefined, remedy);
  return false;
}

/** What takes longer than five years to come back is more than stores can count. */
function checkedBurst(burst: number | undefined, limit: number, perMs: number, check: OptionChecker): number {
  const calls = check.number('burst', burst, COUNT, limit, 'The default is `limit`.');
  const most = Math.floor((FIVE_YEARS_MS * limit) / perMs);
  if (calls <= most) return calls;
  check.problem('burst', `to be at most ${most}`, calls, '`limit` gives no more in five years.');
  return most;
}

function checkedAlgorithm(
  algorithm: RateLimitAlgorithm | undefined,
  check: OptionChecker,
): RateLimitAlgorithm {
  if (algorithm === undefined) return rateLimitDefaults.algorithm;
  if (algorithm === 'window' || algorithm === 'bucket') return algorithm;
  check.problem('algorithm', "to be 'window' or 'bucket'", algorithm, "The default is 'window'.");
  return rateLimitDefaults.algorithm;
}

/** What only a bucket can do. */
function checkWindow({ burst }: RateLimitOptions, limit: number, check: OptionChecker): void {
  if (burst !== undefined) {
    const remedy =
      "A window lets all of `limit` start at once. Add `algorithm: 'bucket'` to bound what starts at once.";
    check.problem('burst', "to be left out with `algorithm: 'window'`", burst, remedy);
  }
  if (limit > MAX_WINDOW_LIMIT) {
    const remedy = "A window keeps the time of each call. Use `algorithm: 'bucket'` for more.";
    check.problem('limit', `to be at most ${MAX_WINDOW_LIMIT} with \`algorithm: 'window'\``, limit, remedy);
  }
}

function checkedStore(
  store: LimiterStore | undefined,
  algorithm: RateLimitAlgorithm,
  check: OptionChecker,
): LimiterStore | undefined {
  if (store === undefined) return store;
  if (typeof store !== 'object' || store === null || typeof Reflect.get(store, 'take') !== 'function') {
    const remedy =
      'Use sqliteStore(), redisStore(), postgresStore(), or an object of your own with the methods of `LimiterStore`.';
    check.problem('store', 'to be a limiter store', store, remedy);
    return undefined;
  }
  if (algorithm === 'window' && typeof store.takeFromWindow !== 'function') {
    const remedy =
      "`algorithm: 'window'` counts in it. Add it as `LimiterStore` describes it, or set `algorithm: 'bucket'`, which needs `take` alone.";
    check.problem('store', 'to have a method `takeFromWindow`', Reflect.get(store, 'takeFromWindow'), remedy);
  }
  return store;
}

function checkedFailure(failure: StoreFailure | undefined, check: OptionChecker): StoreFailure {
  if (failure === undefined) return rateLimitDefaults.onStoreFailure;
  if (STORE_FAILURES.includes(failure)) return failure;
  const expected = "to be 'failOpen', 'failClosed' or 'localShare'";
  check.problem('onStoreFailure', expected, failure, `The default is '${rateLimitDefaults.onStoreFailure}'.`);
  return rateLimitDefaults.onStoreFailure;
}
