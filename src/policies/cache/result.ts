/** How the cache answered a request. */
export type CacheRequestResult = (typeof CACHE_RESULTS)[number];

/** Every {@link CacheRequestResult}, in the order in which tables show them. */
export const CACHE_RESULTS = ['hit', 'miss', 'stale', 'stale_error', 'negative', 'coalesced'] as const;

/**
 * Gives a value that is not in the cache.
 * @param signal aborts when nobody waits for the value any more
 * @param isBackground whether it refreshes a value that its caller has already been given
 */
export type CacheLoad<T> = (signal: AbortSignal, isBackground: boolean) => PromiseLike<T> | T;

/** Who asks. The object itself is the handle that those who join its load are given. */
export interface CacheCaller {
  /** Lets this caller go; a load that others wait for goes on. */
  readonly signal?: AbortSignal | undefined;
  /** Told at once when this caller joins a load, with whoever began it, where that gave itself as a caller. */
  joined?(leader: object | undefined): void;
  /** Takes a loaded value that nobody gets: it is not kept, and nobody waits for it. */
  dropped?(value: unknown): void;
}

/** A value, with where it came from. */
export interface CacheValue<T> {
  readonly result: Exclude<CacheRequestResult, 'negative'>;
  readonly value: T;
  readonly origin: 'live' | 'cache' | 'stale';
  /** Milliseconds since the value was loaded. */
  readonly ageMs: number;
  /** What the last load failed with, where the value is stale for that. */
  readonly error: unknown;
  /** Whoever began the load that a `coalesced` request joined. */
  readonly leader: object | undefined;
}

/** An error that an earlier load ended with, and that is remembered. */
export interface CacheNegative {
  readonly result: 'negative';
  readonly origin: 'cache';
  readonly error: unknown;
  /** Milliseconds since the error was thrown. */
  readonly ageMs: number;
}

/** What the cache has for a request. */
export type CacheResult<T> = CacheValue<T> | CacheNegative;
