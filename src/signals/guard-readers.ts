import { BREAKER_STATES } from '../core/events.ts';
import { OUTCOMES } from '../core/outcome.ts';
import type { GuardSource } from '../core/stats.ts';
import type { MetricDefinition } from './semconv.ts';
import * as semconv from './semconv.ts';

type Observe = (value: number, attributes: Record<string, string>) => void;

/** The observable instruments and how each is read from a guard. */
export const GUARD_READERS: readonly (readonly [
  MetricDefinition,
  (source: GuardSource, observe: Observe) => void,
])[] = [
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

/**
 * Reads the numbers of guards. Those of one name, which several instances have, are one to whoever looks at the metrics: what they count adds up,
 * and of their states the one of the guard that was made last is shown.
 * @param observe takes each number with the place of its instrument in {@link GUARD_READERS}
 */
export function readGuards(
  sources: Iterable<GuardSource>,
  observe: (instrument: number, value: number, attributes: Record<string, string>) => void,
): void {
  for (const [name, group] of Map.groupBy(sources, (source) => source.name)) {
    for (const [index, [definition, read]] of GUARD_READERS.entries()) {
      const tell: Observe = (value, attributes) =>
        observe(index, value, { [semconv.ATTR_GUARD_NAME]: name, ...attributes });
      const [only] = group;
      if (group.length === 1 && only) read(only, tell);
      else readTogether(group, definition, read, tell);
    }
  }
}

function readTogether(
  group: readonly GuardSource[],
  { instrument }: MetricDefinition,
  read: (source: GuardSource, observe: Observe) => void,
  tell: Observe,
): void {
  const found = new Map<string, { value: number; readonly attributes: Record<string, string> }>();
  for (const source of group) {
    read(source, (value, attributes) => {
      const key = JSON.stringify(attributes);
      const before = instrument === 'gauge' ? 0 : (found.get(key)?.value ?? 0);
      found.set(key, { value: before + value, attributes });
    });
  }
  for (const { value, attributes } of found.values()) tell(value, attributes);
}

/** The metrics that a guard has: those of its policies. */
export function metricsOf(source: GuardSource): readonly string[] {
  const names: string[] = [semconv.METRIC_CALL_DURATION.name];
  if (source.bulkhead) names.push(semconv.METRIC_BULKHEAD_WAIT.name);
  for (const [{ name }, read] of GUARD_READERS) {
    let isThere = false;
    read(source, () => {
      isThere = true;
    });
    if (isThere) names.push(name);
  }
  return names;
}

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
