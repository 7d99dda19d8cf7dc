import type { IBackoff, IRetryBackoffContext } from 'cockatiel';
import { isRejection } from '../../core/errors.ts';
import type { SuppressionReason } from '../../core/outcome.ts';
import type { Random } from '../../core/random.ts';
import { backoffDelay } from './backoff.ts';
import type { ResolvedRetry } from './options.ts';

/** What to do after a failed attempt. `exhausted` means that every retry has been made: nothing was suppressed. */
export type RetryDecision =
  | { readonly retry: true; readonly delayMs: number }
  | { readonly retry: false; readonly reason: SuppressionReason | 'exhausted' };

/** What the decision depends on. */
export interface FailedAttempt {
  readonly error: unknown;
  /** 0 for the first execution. */
  readonly attempt: number;
  /** Milliseconds that the call has left; `undefined` for one without a limit. */
  readonly remainingMs: number | undefined;
  /** The signal of the attempt, for backoffs that look at it. */
  readonly signal: AbortSignal | undefined;
}

/** The delays of one call. Cockatiel's backoffs carry state from one delay to the next. */
export class RetrySchedule {
  readonly #options: ResolvedRetry;
  readonly #random: Random;
  #backoff: IBackoff<IRetryBackoffContext<unknown>> | undefined;

  constructor(options: ResolvedRetry, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** Decides whether another attempt follows. A filter that throws is taken as a no: nobody said that it is safe. */
  decide(failed: FailedAttempt): RetryDecision {
    if (!this.#isRetryable(failed.error)) return { retry: false, reason: 'not_retryable' };
    if (failed.attempt >= this.#options.retries) return { retry: false, reason: 'exhausted' };
    const delayMs = this.#delay(failed);
    if (delayMs === undefined) return { retry: false, reason: 'not_retryable' };
    if (failed.remainingMs !== undefined && delayMs >= failed.remainingMs)
      return { retry: false, reason: 'deadline' };
    return { retry: true, delayMs };
  }

  #isRetryable(error: unknown): boolean {
    if (isRejection(error)) return false;
    if (!this.#options.retryIf) return true;
    try {
      return this.#options.retryIf(error);
    } catch {
      return false;
    }
  }

  /** @returns milliseconds; `undefined` where a backoff of the user's throws, as some do to stop */
  #delay(failed: FailedAttempt): number | undefined {
    const { backoff } = this.#options;
    if (!backoff) return backoffDelay(this.#options, failed.attempt, this.#random);
    const context = {
      attempt: failed.attempt + 1,
      signal: failed.signal ?? new AbortController().signal,
      result: { error: failed.error },
    };
    try {
      this.#backoff = (this.#backoff ?? backoff).next(context);
      return Math.max(0, this.#backoff.duration);
    } catch {
      return undefined;
    }
  }
}
