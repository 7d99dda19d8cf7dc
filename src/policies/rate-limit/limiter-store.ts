import type { Rate } from './gcra.ts';

/** The answer of a store. */
export interface Taken {
  readonly granted: boolean;
  /** Milliseconds until there is a token; 0 where one was granted. */
  readonly retryAfterMs: number;
  /** Whole tokens that are left. */
  readonly remaining: number;
}

/**
 * Where several processes count one limit together. Each `take` is one atomic step by the clock of the store, so that neither a race nor
 * a process with a wrong clock gets more than the limit.
 */
export interface LimiterStore {
  /**
   * Takes a token of `key`, or says when there is one.
   * @param signal aborted when nobody waits for the answer any more
   * @throws what keeps the store from answering; its caller decides by `onStoreFailure`
   */
  take(key: string, rate: Rate, signal?: AbortSignal): Promise<Taken>;
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
