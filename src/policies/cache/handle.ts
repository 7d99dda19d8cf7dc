import { OptionChecker } from '../../core/options.ts';
import type { Duration } from '../../core/time/duration.ts';
import type { Cache } from './cache.ts';

/** How a value is read from a cache by hand. */
export interface CacheGetOptions {
  /** Whether a value that is no longer fresh will do, within `staleWhileRevalidate` or `staleIfError`. @defaultValue false */
  readonly allowStale?: boolean;
}

/** How a value is stored in a cache by hand. */
export interface CacheSetOptions {
  /** How long the value is fresh. @defaultValue the `ttl` of the cache */
  readonly ttl?: Duration;
}

/** The numbers of a cache, since it was made. */
export interface CacheStats {
  /** Keys that it holds now: fresh and stale values, and remembered errors. */
  readonly entries: number;
  /** Loads that run now. */
  readonly loading: number;
  /** Answered requests by result. */
  readonly requests: Readonly<Record<string, number>>;
  /** Loads in the background, and those of them that failed. */
  readonly refreshes: number;
  readonly refreshFailures: number;
  /** Operations of the second tier that failed. */
  readonly tierFailures: number;
}

/**
 * A guard's cache as its users see it. A value is stored under an operation and a key, as `run(operation, fn, { cacheKey })` does; that of a guard
 * that `guard.for(key)` gave reads and stores the values of its key.
 */
export interface CacheHandle {
  /**
   * Reads a value without loading it. Asks the second tier, if there is one.
   * @param operation the operation of the guarded call
   * @param key its `cacheKey`
   * @returns the value; `undefined` if there is none
   */
  get(operation: string, key: string, options?: CacheGetOptions): Promise<unknown>;
  /**
   * Stores a value, as if the guarded call had given it.
   * @returns settles when the second tier, if there is one, has it or has failed to take it; never rejects for that
   * @throws {ConfigError} `ERR_KEELSON_CONFIG` for a `ttl` that is no duration; {@link KeelsonError} `ERR_KEELSON_CACHE_VALUE` for a value that
   *   can be read once only, such as a `Response`
   */
  set(operation: string, key: string, value: unknown, options?: CacheSetOptions): Promise<void>;
  /** Forgets a value, in the second tier too. */
  delete(operation: string, key: string): Promise<void>;
  /**
   * Forgets every value of this process; of a guard that `guard.for(key)` gave, those of its key. The second tier, which other processes share,
   * keeps its own.
   */
  clear(): void;
  /** A copy of the numbers: those of the guard and its keys together. */
  stats(): CacheStats;
}

/** The cache of a policy of its own. A value is stored under the key that the policy's `key` gives. */
export interface PolicyCacheHandle {
  /** Reads a value without loading it. @returns the value; `undefined` if there is none */
  get(key: string, options?: CacheGetOptions): Promise<unknown>;
  /**
   * Stores a value, as if the function had given it.
   * @throws {ConfigError} `ERR_KEELSON_CONFIG` for a `ttl` that is no duration; {@link KeelsonError} `ERR_KEELSON_CACHE_VALUE` for a value that
   *   can be read once only, such as a `Response`
   */
  set(key: string, value: unknown, options?: CacheSetOptions): Promise<void>;
  /** Forgets a value, in the second tier too. */
  delete(key: string): Promise<void>;
  /** Forgets every value of this process. The second tier, which other processes share, keeps its own. */
  clear(): void;
  /** A copy of the numbers. */
  stats(): CacheStats;
}

/** Makes the handle of a cache that stands alone. */
export function policyCacheHandle(cache: Cache): PolicyCacheHandle {
  return {
    get: (key, options) => cache.peek(key, options?.allowStale === true),
    set: async (key, value, options) => cache.put(key, value, ttlOf(options)),
    delete: (key) => cache.delete(key),
    clear: () => cache.clear(),
    stats: () => statsOf(cache),
  };
}

/**
 * Makes the handle of a guard's cache.
 * @param current gives the cache in force: a guard that is updated may have none from then on
 * @param scope the key of the guard, if it is that of a key
 */
export function cacheHandle(current: () => Cache | undefined, scope: string | undefined): CacheHandle {
  return {
    get: async (operation, key, options) => {
      const cache = current();
      return cache?.peek(cache.keyOf(operation, key, scope), options?.allowStale === true);
    },
    set: async (operation, key, value, options) => {
      const cache = current();
      await cache?.put(cache.keyOf(operation, key, scope), value, ttlOf(options));
    },
    delete: async (operation, key) => {
      const cache = current();
      await cache?.delete(cache.keyOf(operation, key, scope));
    },
    clear: () => current()?.clear(scope),
    stats: () => statsOf(current()),
  };
}

function ttlOf(options: CacheSetOptions | undefined): number | undefined {
  const check = new OptionChecker('cache.set');
  check.keys(options, ['ttl']);
  const ttlMs = check.duration('ttl', options?.ttl, 0, undefined);
  check.done();
  return ttlMs;
}

function statsOf(cache: Cache | undefined): CacheStats {
  return {
    entries: cache?.entries ?? 0,
    loading: cache?.loading ?? 0,
    requests: { ...cache?.counts },
    refreshes: cache?.refreshes ?? 0,
    refreshFailures: cache?.refreshFailures ?? 0,
    tierFailures: cache?.tierFailures ?? 0,
  };
}
