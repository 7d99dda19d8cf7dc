import type { Origin, PolicyName } from '../core/outcome.ts';
import type { RejectionKey } from '../core/stats.ts';
import { GuardCounters } from '../core/stats.ts';
import type { ResolvedGuard } from './options.ts';

/** The counters of a guard, with every key that its policies can count under. */
export function countersFor(options: ResolvedGuard): GuardCounters {
  return new GuardCounters(rejectionKeys(options), waitKeys(options));
}

/** Adds, at 0, the keys that new options can count under. */
export function addKeys(counters: GuardCounters, options: ResolvedGuard): void {
  for (const key of rejectionKeys(options)) counters.rejections[key] ??= 0;
  for (const key of waitKeys(options)) counters.waitMs[key] ??= 0;
}

/** Where the values of a guard can come from. */
export function originsOf({ cache, fallback }: ResolvedGuard): readonly Origin[] {
  const origins: Origin[] = ['live'];
  if (cache) origins.push('cache', 'stale');
  if (fallback) origins.push('fallback');
  return origins;
}

function rejectionKeys({ breaker, rateLimit, bulkhead, timeout }: ResolvedGuard): RejectionKey[] {
  const keys: RejectionKey[] = [];
  if (breaker) keys.push('breaker/open', 'breaker/half_open', 'breaker/forced_open');
  if (rateLimit) keys.push('rate_limit/rate_limited');
  if (bulkhead) keys.push('bulkhead/full');
  if (bulkhead?.queueTimeoutMs !== undefined) keys.push('bulkhead/queue_timeout');
  if (timeout.totalMs !== undefined) keys.push('timeout/deadline');
  return keys;
}

function waitKeys({ retry, breaker, rateLimit, bulkhead }: ResolvedGuard): PolicyName[] {
  const keys: PolicyName[] = [];
  if (retry) keys.push('retry');
  if (breaker?.halfOpenWaitMs !== undefined) keys.push('breaker');
  if (rateLimit && (rateLimit.maxWaitMs > 0 || rateLimit.store)) keys.push('rate_limit');
  if (bulkhead && bulkhead.queue > 0) keys.push('bulkhead');
  return keys;
}
