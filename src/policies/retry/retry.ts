import type { IBackoff, IRetryBackoffContext } from 'cockatiel';
import type { WarnAbout } from '../../core/filter.ts';
import { answerOf } from '../../core/filter.ts';
import type { SuppressionReason } from '../../core/outcome.ts';
import type { Random } from '../../core/random.ts';
import type { Clock } from '../../core/time/clock.ts';
import { MAX_TIMER_MS } from '../../core/time/duration.ts';
import { isRefusal } from '../cockatiel-rejection.ts';
import type { AttemptRequests } from './attempt-requests.ts';
import { backoffDelay } from './backoff.ts';
import { RetryBudget } from './budget.ts';
import { surelyNotSent } from './not-sent.ts';
import type { ResolvedRetry } from './options.ts';
import { retryAfterOf } from './retry-after.ts';

/** What to do after a failed attempt. `exhausted` means that every retry has been made: nothing was suppressed. */
export type RetryDecision =
  | { readonly retry: true; readonly delayMs: number }
  | {
      readonly retry: false;
      readonly reason: SuppressionReason | 'exhausted';
      /** What the server asked for, where that is why there is no retry, in milliseconds. */
      readonly retryAfterMs?: number;
    };

/** What the decision depends on. */
export interface FailedAttempt {
  readonly error: unknown;
  /** 0 for the first execution. */
  readonly attempt: number;
  /** Milliseconds that the call has left; `undefined` for one without a limit. */
  readonly remainingMs: number | undefined;
  /** The signal of the caller, for backoffs that look at it. */
  readonly signal: AbortSignal | undefined;
  /** Whether the call may do its work twice. */
  readonly idempotent: boolean;
  /** What was seen of its HTTP requests; `undefined` where nobody watched. */
  readonly requests: AttemptRequests | undefined;
  /** Whether a guard around this one would retry after this error. */
  readonly nested: (error: unknown) => boolean;
}

/** Decides about retries for all calls of one dependency. */
export class Retry {
  readonly #options: ResolvedRetry;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #budget: RetryBudget | undefined;
  readonly #warn: WarnAbout | undefined;

  /** @param before whose place this one takes: the retries that its budget has spent stay spent */
  constructor(options: ResolvedRetry, clock: Clock, random: Random, warn?: WarnAbout, before?: Retry) {
    this.#warn = warn;
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    if (!options.budget) return;
    const spent = before ? before.#budget : undefined;
    this.#budget = spent ?? new RetryBudget(options.budget);
    this.#budget.update(options.budget);
  }

  /** A call has come; the budget lives on it. @param now monotonic milliseconds */
  call(now: number): void {
    this.#budget?.call(now);
  }

  /** The schedule of one call, made when its first attempt has failed. */
  schedule(): RetrySchedule {
    return new RetrySchedule(this.#options, this.#budget, this.#clock, this.#random, this.#warn);
  }
}

const RETRY_IF = {
  name: 'retry.retryIf',
  otherwise: false,
  consequence: 'Until then nothing is retried.',
} as const;

/** The retries of one call: delays carry state from one to the next. */
export class RetrySchedule {
  readonly #options: ResolvedRetry;
  readonly #budget: RetryBudget | undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  #backoff: IBackoff<IRetryBackoffContext<unknown>> | undefined;
  readonly #warn: WarnAbout | undefined;
  #previousMs: number;

  constructor(
    options: ResolvedRetry,
    budget: RetryBudget | undefined,
    clock: Clock,
    random: Random,
    warn?: WarnAbout,
  ) {
    this.#warn = warn;
    this.#options = options;
    this.#budget = budget;
    this.#clock = clock;
    this.#random = random;
    this.#previousMs = options.delayMs;
  }

  /** Decides whether another attempt follows. A filter that throws is taken as a no: nobody said that it is safe. */
  decide(failed: FailedAttempt): RetryDecision {
    const { error, attempt, remainingMs, idempotent, requests, nested } = failed;
    if (!this.#isRetryable(error)) return { retry: false, reason: 'not_retryable' };
    if (attempt >= this.#options.retries) return { retry: false, reason: 'exhausted' };
    if (!idempotent && !surelyNotSent(error, requests)) return { retry: false, reason: 'not_idempotent' };
    if (!this.#options.nested && nested(error)) return { retry: false, reason: 'nested' };
    const askedMs = this.#options.retryAfter ? retryAfterOf(error, this.#clock.epoch()) : undefined;
    if (askedMs !== undefined) {
      // An earlier retry would only be refused again, and count against the caller.
      const asked = { retry: false, retryAfterMs: askedMs } as const;
      if (remainingMs !== undefined && askedMs >= remainingMs) return { ...asked, reason: 'deadline' };
      if (askedMs > this.#options.maxDelayMs) return { ...asked, reason: 'retry_after' };
    }
    const ownMs = this.#delay(failed);
    if (ownMs === undefined) return { retry: false, reason: 'not_retryable' };
    const delayMs = Math.max(ownMs, askedMs ?? 0);
    if (remainingMs !== undefined && delayMs >= remainingMs) return { retry: false, reason: 'deadline' };
    if (this.#budget && !this.#budget.tryRetry(this.#clock.now())) return { retry: false, reason: 'budget' };
    return { retry: true, delayMs };
  }

  /**
   * Whether {@link decide} would let another attempt follow, as far as one can know before the attempt has ended. Takes nothing out of the budget, and draws no
   * random number: the delay is taken without its jitter.
   */
  wouldRetry(failed: FailedAttempt): boolean {
    const { error, attempt, remainingMs, idempotent } = failed;
    if (!idempotent || attempt >= this.#options.retries || !this.#isRetryable(error)) return false;
    if (this.#budget && !this.#budget.hasRetry(this.#clock.now())) return false;
    const { backoff, maxDelayMs } = this.#options;
    const askedMs = this.#options.retryAfter ? (retryAfterOf(error, this.#clock.epoch()) ?? 0) : 0;
    if (askedMs > maxDelayMs) return false;
    if (remainingMs === undefined) return true;
    const ownMs = backoff ? 0 : backoffDelay(this.#options, attempt, () => 0.5, this.#previousMs);
    return Math.max(ownMs, askedMs) < remainingMs;
  }

  #isRetryable(error: unknown): boolean {
    if (isRefusal(error)) return false;
    const { retryIf } = this.#options;
    return !retryIf || answerOf(retryIf, error, RETRY_IF, this.#warn);
  }

  /** @returns milliseconds; `undefined` where a backoff of the user's throws, as some do to stop */
  #delay(failed: FailedAttempt): number | undefined {
    return this.#options.backoff ? this.#cockatielDelay(failed) : this.#ownDelay(failed.attempt);
  }

  #ownDelay(attempt: number): number {
    this.#previousMs = backoffDelay(this.#options, attempt, this.#random, this.#previousMs);
    return this.#previousMs;
  }

  #cockatielDelay(failed: FailedAttempt): number | undefined {
    const { backoff } = this.#options;
    const context = {
      attempt: failed.attempt + 1,
      signal: failed.signal ?? new AbortController().signal,
      result: { error: failed.error },
    };
    try {
      this.#backoff = (this.#backoff ?? backoff)?.next(context);
      const duration = this.#backoff?.duration ?? 0;
      return Number.isNaN(duration) ? undefined : Math.min(MAX_TIMER_MS, Math.max(0, duration));
    } catch {
      return undefined;
    }
  }
}
