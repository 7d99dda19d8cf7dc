import type { Rate } from './quota/gcra.ts';
import type { RateWindow } from './quota/window-log.ts';

/** The answer of a store. */
export interface Taken {
  readonly granted: boolean;
  /** Milliseconds until there is a token; 0 where one was granted. */
  readonly retryAfterMs: number;
  /** Whole tokens that are left. */
  readonly remaining: number;
  /** When a window counted the token, on the clock of the store and in its unit. {@link LimiterStore.giveBack} needs it. */
  readonly at?: number;
}

/**
 * Where several processes count one limit together. Each `take` is one atomic step by the clock of the store, so that neither a race nor
 * a process with a wrong clock gets more than the limit.
 */
export interface LimiterStore {
  /**
   * `algorithm: 'bucket'`: takes a token of `key`, or says when there is one.
   * @param signal aborted when nobody waits for the answer any more
   * @throws what keeps the store from answering; its caller decides by `onStoreFailure`
   */
  take(key: string, rate: Rate, signal?: AbortSignal): Promise<Taken>;
  /**
   * `algorithm: 'window'`, which is the default: grants a token of `key` if fewer than `limit` were granted in the last `perMs` milliseconds, or says when
   * there is one. No half-open interval of the length `perMs` may have more than `limit` grants, by the clock of the store. A window and a bucket of one
   * key count apart. A store without this method can be used with `algorithm: 'bucket'` only.
   * @param signal aborted when nobody waits for the answer any more
   * @throws what keeps the store from answering; its caller decides by `onStoreFailure`
   */
  takeFromWindow?(key: string, window: RateWindow, signal?: AbortSignal): Promise<Taken>;
  /**
   * Gives back a token of a window that was not used. Without this method the token counts until it is a period old.
   * @param at the time of the grant: {@link Taken.at}
   * @throws what keeps the store from it; the token then counts until it is a period old
   */
  giveBack?(key: string, window: RateWindow, at: number, signal?: AbortSignal): Promise<void>;
  /** Gives back what the store opened itself. Calling it again does nothing. */
  close(): Promise<void>;
}

/**
 * Stores count in ticks of 1/16 of a microsecond since 2026-01-01T00:00:00Z. For seventeen years such numbers are whole in the doubles
 * of JavaScript and Lua as well: adding intervals rounds nothing. An interval is rounded up to a tick, so that a store never gives more than the limit.
 */
export const TICKS_PER_MS = 16_000;
/** Milliseconds from 1970 to the first tick. */
export const TICKS_START_MS: number = Date.UTC(2026, 0, 1);

/**
 * A state that is further ahead of the clock than a full burst and this, in ticks, comes from a clock that has gone backwards: the key then begins
 * anew with one token. Anything less is waited out, so that processes which do not agree about the burst do not undo one another's counts.
 */
export const CLOCK_STEP_TICKS: number = 60_000 * TICKS_PER_MS;

/** A rate in ticks. */
export interface TickRate {
  readonly interval: number;
  /** The ticks that a bucket holds when it is full. */
  readonly tolerance: number;
}

/** @returns the rate in ticks */
export function inTicks({ limit, perMs, burst }: Rate): TickRate {
  const interval = Math.max(1, Math.ceil((perMs * TICKS_PER_MS) / limit));
  return { interval, tolerance: burst * interval };
}

/** @returns the answer for a key that had a token, and is now `ahead` ticks ahead of the clock */
export function granted(ahead: number, { interval, tolerance }: TickRate): Taken {
  return {
    granted: true,
    retryAfterMs: 0,
    remaining: Math.max(0, Math.floor((tolerance - ahead) / interval)),
  };
}

/** @returns the answer for a key that has none, being `ahead` ticks ahead of the clock */
export function refused(ahead: number, { interval, tolerance }: TickRate): Taken {
  const wait = Math.max(1, ahead + interval - tolerance);
  return { granted: false, retryAfterMs: wait / TICKS_PER_MS, remaining: 0 };
}

/** Windows count in microseconds since 2026-01-01T00:00:00Z, which are whole numbers in doubles for 285 years. */
export const MICROS_PER_MS = 1_000;
/**
 * If the last grant of a window is further ahead of the clock than this, in microseconds, the clock was set back: the log is then moved back with it.
 * Anything less is waited out.
 */
export const CLOCK_STEP_MICROS: number = 60_000 * MICROS_PER_MS;

/** A window in microseconds. */
export interface MicroWindow {
  readonly limit: number;
  readonly per: number;
}

/** @returns the window in microseconds; its length is rounded up, so that a store never gives more than the limit */
export function inMicros({ limit, perMs }: RateWindow): MicroWindow {
  return { limit, per: Math.max(1, Math.ceil(perMs * MICROS_PER_MS)) };
}

/** @returns the answer for a key whose window now has `counted` grants, the last of them at `at` */
export function grantedAt(at: number, counted: number, { limit }: MicroWindow): Taken {
  return { granted: true, retryAfterMs: 0, remaining: Math.max(0, limit - counted), at };
}

/** @returns the answer for a key whose window is full for `wait` microseconds; what is not above 0 comes from a clock that went on meanwhile */
export function fullFor(wait: number): Taken {
  return { granted: false, retryAfterMs: Math.max(1, wait) / MICROS_PER_MS, remaining: 0 };
}
