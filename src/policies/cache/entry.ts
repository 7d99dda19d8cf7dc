import type { WarnAbout } from '../../core/filter.ts';
import { answerOf } from '../../core/filter.ts';
import type { ResolvedCache } from './options.ts';

/** A fresh value, as `Cache.fresh` gives it. Its age is the time on the clock less `storedAt`. */
export interface CacheHit {
  readonly value: unknown;
  /** The time on the clock at which the value was loaded. */
  readonly storedAt: number;
}

/** What is kept under a key: a value, or (`negative`) an error that is remembered. */
export interface Entry extends CacheHit {
  readonly negative: boolean;
  /** Times on the clock: until when it is fresh, may be served while a refresh runs, and may be served where a load failed. */
  readonly freshUntil: number;
  readonly staleUntil: number;
  readonly errorUntil: number;
  /** What the last load failed with, and until when the source is left alone for it. */
  error: unknown;
  retryAt: number;
}

/**
 * What an entry is worth at a moment.
 * - `fresh`: serve the value; `negative`: throw the remembered error
 * - `stale`: serve the value and refresh it in the background
 * - `backing_off`: serve the value with the error of the last load; the source is left alone
 * - `expired`: load; the value stands in where that fails
 * - `dead`: load; there is nothing to stand in
 */
export type Worth = 'fresh' | 'negative' | 'stale' | 'backing_off' | 'expired' | 'dead';

/** Judges an entry, without changing anything. */
export function worth(entry: Entry, now: number): Worth {
  if (now < entry.freshUntil) return entry.negative ? 'negative' : 'fresh';
  if (entry.negative) return 'dead';
  if (now < entry.staleUntil) return 'stale';
  if (now >= entry.errorUntil) return 'dead';
  return now < entry.retryAt ? 'backing_off' : 'expired';
}

/** The windows that decide about an entry, in milliseconds. */
export type EntryWindows = Pick<ResolvedCache, 'staleWhileRevalidateMs' | 'staleIfErrorMs'>;

/**
 * The entry for a value.
 * @param storedAt the time on the clock at which it was loaded
 * @param freshMs how long it is fresh from then, jitter included
 */
export function valueEntry(value: unknown, storedAt: number, freshMs: number, windows: EntryWindows): Entry {
  const freshUntil = storedAt + freshMs;
  return {
    value,
    storedAt,
    negative: false,
    freshUntil,
    staleUntil: freshUntil + windows.staleWhileRevalidateMs,
    errorUntil: freshUntil + windows.staleIfErrorMs,
    error: undefined,
    retryAt: Number.NEGATIVE_INFINITY,
  };
}

/** The entry for an error that is remembered for `negativeTtlMs` milliseconds. */
export function negativeEntry(error: unknown, storedAt: number, negativeTtlMs: number): Entry {
  const freshUntil = storedAt + negativeTtlMs;
  return {
    value: undefined,
    storedAt,
    negative: true,
    freshUntil,
    staleUntil: freshUntil,
    errorUntil: freshUntil,
    error,
    retryAt: Number.NEGATIVE_INFINITY,
  };
}

const NEGATIVE_IF = {
  name: 'cache.negativeIf',
  otherwise: false,
  consequence: 'Until then no error is remembered.',
} as const;

/** Whether the user's filter takes an error for an answer. @param warn takes the warning of a filter that gives a promise */
export function isAnswer(
  { negativeIf }: ResolvedCache,
  error: unknown,
  warn: WarnAbout | undefined,
): boolean {
  return negativeIf !== undefined && answerOf(negativeIf, error, NEGATIVE_IF, warn);
}
