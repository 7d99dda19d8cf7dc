/**
 * How a guarded call ended; every call has exactly one.
 * - `success`: a value was returned (see {@link Origin} for where it came from)
 * - `failure`: the function ran and threw
 * - `timeout`: the function ran and took too long
 * - `rejected`: a policy refused the call, the function never ran
 * - `cancelled`: the caller gave up
 */
export type Outcome = (typeof OUTCOMES)[number];

/** Every outcome, in the order in which tables show them. */
export const OUTCOMES = ['success', 'failure', 'timeout', 'rejected', 'cancelled'] as const;

/** Where the value of a call came from. */
export type Origin = (typeof ORIGINS)[number];

/** Every origin. A guard counts only those that its policies can produce. */
export const ORIGINS = ['live', 'cache', 'stale', 'fallback'] as const;

/** The policies that can refuse or delay a call. */
export type PolicyName = 'retry' | 'breaker' | 'rate_limit' | 'bulkhead' | 'timeout';

/** Why a call, or one more attempt of it, was refused. */
export type RejectionReason =
  | 'open'
  | 'half_open'
  | 'forced_open'
  | 'full'
  | 'queue_timeout'
  | 'reentrant'
  | 'rate_limited'
  | 'deadline';

/** Why a failed attempt was not followed by another. */
export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number];

/** Every reason for not retrying. */
export const SUPPRESSION_REASONS = [
  'budget',
  'deadline',
  'not_idempotent',
  'not_retryable',
  'cancelled',
  'nested',
  'retry_after',
] as const;

/** A further attempt that a policy refused after the function had already run. */
export interface Suppression {
  readonly policy: PolicyName;
  readonly reason: SuppressionReason | RejectionReason;
  /**
   * Milliseconds that the server asked for with `Retry-After`, where that is why there was no retry: it is more than `retry.maxDelay` (`retry_after`), or
   * more than the call had left (`deadline`).
   */
  readonly retryAfterMs?: number;
}

/** What the account of a guarded call says however it ended. */
export interface CallAccount {
  /** Where the value of the call came from; `live` for a call that has none. */
  readonly origin: Origin;
  /** Age of the value in milliseconds: 0 for a live one. */
  readonly ageMs: number;
  /** How often the function was called. */
  readonly attempts: number;
  /** Which policy refused a further attempt, and why. */
  readonly suppressed?: Suppression;
  /** From the call to its end, in milliseconds, waits included. */
  readonly durationMs: number;
  /** The id under which span, log and error know this call. */
  readonly requestId: string;
}

/** The account of a call that gave a value. */
export interface SuccessfulCall<T> extends CallAccount {
  readonly outcome: 'success';
  readonly value: T;
  /** The error behind a value that stood in for it: a stale one, or that of the fallback. */
  readonly error?: unknown;
}

/** The account of a call that did not. */
export interface UnsuccessfulCall<T> extends CallAccount {
  readonly outcome: Exclude<Outcome, 'success'>;
  /** What was thrown; the same that `run()` throws. */
  readonly error?: unknown;
  /** The value, where it is one that counts as a failure. */
  readonly value?: T;
}

/** The full account of a guarded call, as `guard.outcome()` gives it: tell them apart by `outcome`. */
export type CallOutcome<T> = SuccessfulCall<T> | UnsuccessfulCall<T>;
