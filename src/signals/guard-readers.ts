import { BREAKER_STATES } from '../core/events.ts';
import { OUTCOMES } from '../core/outcome.ts';
import type { GuardSource } from '../core/stats.ts';
import type { MetricRow, Observe } from './metric-readers.ts';
import * as semconv from './semconv.ts';

/** The observable instruments and how each is read from a guard. */
export const GUARD_READERS: readonly MetricRow<GuardSource>[] = [
  [semconv.METRIC_CALLS, readCalls],
  [semconv.METRIC_CALL_ABANDONED, ({ counters }, observe) => observe(counters.abandoned, {})],
  [
    semconv.METRIC_ATTEMPTS,
    ({ counters }, observe) => readTally(counters.attempts, semconv.ATTR_OUTCOME, observe),
  ],
  [
    semconv.METRIC_RETRY_SUPPRESSED,
    ({ counters }, observe) => readTally(counters.suppressed, semconv.ATTR_REASON, observe),
  ],
  [semconv.METRIC_REJECTIONS, readRejections],
  [semconv.METRIC_WAIT_TIME, readWaits],
  [semconv.METRIC_BREAKER_STATE, readBreakerState],
  [semconv.METRIC_BREAKER_TRANSITIONS, readTransitions],
  [semconv.METRIC_BULKHEAD_ACTIVE, ({ bulkhead }, observe) => bulkhead && observe(bulkhead.active, {})],
  [semconv.METRIC_BULKHEAD_LIMIT, ({ bulkhead }, observe) => bulkhead && observe(bulkhead.limit, {})],
  [semconv.METRIC_BULKHEAD_QUEUED, ({ bulkhead }, observe) => bulkhead && observe(bulkhead.queued, {})],
  [
    semconv.METRIC_BULKHEAD_QUEUE_LIMIT,
    ({ bulkhead }, observe) => bulkhead && observe(bulkhead.queueLimit, {}),
  ],
  [
    semconv.METRIC_RATE_LIMITER_AVAILABLE,
    ({ rateLimit }, observe) => rateLimit && observe(rateLimit.available, {}),
  ],
  [semconv.METRIC_RATE_LIMITER_LIMIT, ({ rateLimit }, observe) => rateLimit && observe(rateLimit.limit, {})],
  [
    semconv.METRIC_CACHE_REQUESTS,
    ({ cache }, observe) => cache && readTally(cache.counts, semconv.ATTR_CACHE_RESULT, observe),
  ],
  [semconv.METRIC_CACHE_ENTRIES, ({ cache }, observe) => cache && observe(cache.entries, {})],
  [
    semconv.METRIC_GUARD_KEYS,
    ({ keys }, observe) =>
      keys && keys.size > 0 && readTally(keys.byBreakerState(), semconv.ATTR_BREAKER_STATE, observe),
  ],
  [
    semconv.METRIC_RATE_LIMITER_STORE_FAILURES,
    ({ rateLimit }, observe) => rateLimit?.counters && observe(rateLimit.counters.failures, {}),
  ],
  [
    semconv.METRIC_RATE_LIMITER_UNLIMITED,
    ({ rateLimit }, observe) => rateLimit?.counters && observe(rateLimit.counters.unlimited, {}),
  ],
  [
    semconv.METRIC_CACHE_TIER_FAILURES,
    ({ cache }, observe) => cache?.hasTier && observe(cache.tierFailures, {}),
  ],
];

function readTally(counts: Readonly<Record<string, number>>, attribute: string, observe: Observe): void {
  for (const [key, count] of Object.entries(counts)) observe(count, { [attribute]: key });
}

function readCalls({ counters, origins }: GuardSource, observe: Observe): void {
  for (const outcome of OUTCOMES) {
    if (outcome === 'success') continue;
    observe(counters.calls[outcome], { [semconv.ATTR_OUTCOME]: outcome, [semconv.ATTR_ORIGIN]: 'live' });
  }
  for (const origin of origins) {
    observe(counters.origins[origin], { [semconv.ATTR_OUTCOME]: 'success', [semconv.ATTR_ORIGIN]: origin });
  }
}

function readRejections({ counters }: GuardSource, observe: Observe): void {
  for (const [key, count] of Object.entries(counters.rejections)) {
    const [policy = '', reason = ''] = key.split('/');
    observe(count, { [semconv.ATTR_POLICY_NAME]: policy, [semconv.ATTR_REASON]: reason });
  }
}

function readWaits({ counters }: GuardSource, observe: Observe): void {
  for (const [policy, ms] of Object.entries(counters.waitMs)) {
    observe(ms / 1_000, { [semconv.ATTR_POLICY_NAME]: policy });
  }
}

function readBreakerState({ breaker }: GuardSource, observe: Observe): void {
  if (!breaker) return;
  for (const state of BREAKER_STATES)
    observe(breaker.state === state ? 1 : 0, { [semconv.ATTR_BREAKER_STATE]: state });
}

function readTransitions({ breaker, counters }: GuardSource, observe: Observe): void {
  if (!breaker) return;
  for (const [key, count] of Object.entries(counters.transitions)) {
    const [from = '', to = ''] = key.split('/');
    observe(count, { [semconv.ATTR_BREAKER_FROM]: from, [semconv.ATTR_BREAKER_TO]: to });
  }
}
