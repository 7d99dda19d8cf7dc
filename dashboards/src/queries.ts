import {
  ATTR_BREAKER_STATE,
  ATTR_CACHE_RESULT,
  ATTR_GUARD_NAME,
  ATTR_OPERATION_NAME,
  ATTR_ORIGIN,
  ATTR_OUTCOME,
  ATTR_POLICY_NAME,
  ATTR_REASON,
  ATTR_SIGNAL,
  METRIC_ATTEMPTS,
  METRIC_BREAKER_STATE,
  METRIC_BREAKER_TRANSITIONS,
  METRIC_BULKHEAD_ACTIVE,
  METRIC_BULKHEAD_LIMIT,
  METRIC_BULKHEAD_QUEUE_LIMIT,
  METRIC_BULKHEAD_QUEUED,
  METRIC_BULKHEAD_WAIT,
  METRIC_CACHE_ENTRIES,
  METRIC_CACHE_REQUESTS,
  METRIC_CACHE_TIER_FAILURES,
  METRIC_GUARD_KEYS,
  METRIC_RATE_LIMITER_AVAILABLE,
  METRIC_RATE_LIMITER_LIMIT,
  METRIC_RATE_LIMITER_STORE_FAILURES,
  METRIC_RATE_LIMITER_UNLIMITED,
  METRIC_CALL_ABANDONED,
  METRIC_CALL_DURATION,
  METRIC_CALLS,
  METRIC_REJECTIONS,
  METRIC_RETRY_SUPPRESSED,
  METRIC_TELEMETRY_DROPPED,
  METRIC_TELEMETRY_EXPORTED,
  METRIC_WAIT_TIME,
  ATTR_BREAKER_TO,
} from '../../src/signals/semconv.ts';
import { prometheusLabel, prometheusName } from './prometheus-name.ts';

type LabelName =
  | 'namespace'
  | 'service'
  | 'guard'
  | 'operation'
  | 'outcome'
  | 'origin'
  | 'policy'
  | 'reason'
  | 'result'
  | 'signal'
  | 'state'
  | 'to';

type SeriesName =
  | 'calls'
  | 'callDurationBucket'
  | 'abandoned'
  | 'attempts'
  | 'retrySuppressed'
  | 'rejections'
  | 'waitTime'
  | 'breakerState'
  | 'breakerTransitions'
  | 'bulkheadActive'
  | 'bulkheadLimit'
  | 'bulkheadQueued'
  | 'bulkheadQueueLimit'
  | 'bulkheadWaitBucket'
  | 'rateLimiterAvailable'
  | 'rateLimiterLimit'
  | 'cacheRequests'
  | 'cacheEntries'
  | 'cacheTierFailures'
  | 'storeFailures'
  | 'unlimitedCalls'
  | 'guardKeys'
  | 'telemetryExported'
  | 'telemetryDropped'
  | 'targetInfo';

/** The labels that queries group and filter by. `service` and `namespace` are promoted resource attributes. */
export const LABEL: Readonly<Record<LabelName, string>> = {
  namespace: prometheusLabel('service.namespace'),
  service: prometheusLabel('service.name'),
  guard: prometheusLabel(ATTR_GUARD_NAME),
  operation: prometheusLabel(ATTR_OPERATION_NAME),
  outcome: prometheusLabel(ATTR_OUTCOME),
  origin: prometheusLabel(ATTR_ORIGIN),
  policy: prometheusLabel(ATTR_POLICY_NAME),
  reason: prometheusLabel(ATTR_REASON),
  result: prometheusLabel(ATTR_CACHE_RESULT),
  signal: prometheusLabel(ATTR_SIGNAL),
  state: prometheusLabel(ATTR_BREAKER_STATE),
  to: prometheusLabel(ATTR_BREAKER_TO),
};

/** The series that queries read. */
export const SERIES: Readonly<Record<SeriesName, string>> = {
  calls: prometheusName(METRIC_CALLS),
  callDurationBucket: `${prometheusName(METRIC_CALL_DURATION)}_bucket`,
  abandoned: prometheusName(METRIC_CALL_ABANDONED),
  attempts: prometheusName(METRIC_ATTEMPTS),
  retrySuppressed: prometheusName(METRIC_RETRY_SUPPRESSED),
  rejections: prometheusName(METRIC_REJECTIONS),
  waitTime: prometheusName(METRIC_WAIT_TIME),
  breakerState: prometheusName(METRIC_BREAKER_STATE),
  breakerTransitions: prometheusName(METRIC_BREAKER_TRANSITIONS),
  bulkheadActive: prometheusName(METRIC_BULKHEAD_ACTIVE),
  bulkheadLimit: prometheusName(METRIC_BULKHEAD_LIMIT),
  bulkheadQueued: prometheusName(METRIC_BULKHEAD_QUEUED),
  bulkheadQueueLimit: prometheusName(METRIC_BULKHEAD_QUEUE_LIMIT),
  bulkheadWaitBucket: `${prometheusName(METRIC_BULKHEAD_WAIT)}_bucket`,
  rateLimiterAvailable: prometheusName(METRIC_RATE_LIMITER_AVAILABLE),
  rateLimiterLimit: prometheusName(METRIC_RATE_LIMITER_LIMIT),
  cacheRequests: prometheusName(METRIC_CACHE_REQUESTS),
  cacheEntries: prometheusName(METRIC_CACHE_ENTRIES),
  cacheTierFailures: prometheusName(METRIC_CACHE_TIER_FAILURES),
  storeFailures: prometheusName(METRIC_RATE_LIMITER_STORE_FAILURES),
  unlimitedCalls: prometheusName(METRIC_RATE_LIMITER_UNLIMITED),
  guardKeys: prometheusName(METRIC_GUARD_KEYS),
  telemetryExported: prometheusName(METRIC_TELEMETRY_EXPORTED),
  telemetryDropped: prometheusName(METRIC_TELEMETRY_DROPPED),
  /** Not ours: Prometheus makes it from the resource of whoever sends OTLP. */
  targetInfo: 'target_info',
};

/** Breaker states in which calls are refused or on trial; an alert on `open` alone would start anew at every half-open trial. */
export const NOT_CLOSED = 'open|half_open|forced_open';

/** Outcomes of calls whose function ran. What a policy refused is neither the dependency's success nor its failure. */
export const EXECUTED = 'success|failure|timeout';

/** Outcomes that count as failed. */
export const FAILED = 'failure|timeout';

/** Thresholds that panels and alerts share. */
export const THRESHOLD = {
  /** Share of executed calls that failed. */
  failureRatio: 0.05,
  /** Executed calls a second below which a share says nothing. */
  minimumCallRate: 0.1,
  /** Share of the bulkhead's slots in use. */
  bulkheadWarning: 0.7,
  bulkheadCritical: 0.9,
} as const;

/**
 * @param matchers label matchers, as PromQL writes them
 * @returns `{...}`, or nothing where there are none
 */
export function selector(...matchers: readonly string[]): string {
  const present = matchers.filter((matcher) => matcher !== '');
  return present.length === 0 ? '' : `{${present.join(',')}}`;
}

/**
 * The share of executed calls that failed or timed out.
 *
 * @param by labels to keep
 * @param window range of the rate
 * @param matchers further label matchers
 */
export function failureRatio(by: readonly string[], window: string, ...matchers: readonly string[]): string {
  const rate = (outcomes: string): string =>
    `sum by (${by.join(', ')}) (rate(${SERIES.calls}${selector(...matchers, `${LABEL.outcome}=~"${outcomes}"`)}[${window}]))`;
  return `${rate(FAILED)} / ${rate(EXECUTED)}`;
}
