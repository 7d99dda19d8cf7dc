export type { BackoffShape } from './backoff.ts';
export { backoffDelay } from './backoff.ts';
export type { ResolvedRetry, RetryOptions } from './options.ts';
export { resolveRetry, retryDefaults } from './options.ts';
export type { RetryPolicy, RetryScheduled } from './policy.ts';
export { retry } from './policy.ts';
export type { FailedAttempt, RetryDecision } from './retry.ts';
export { RetrySchedule } from './retry.ts';
