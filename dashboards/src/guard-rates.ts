import { EXECUTED, FAILED, LABEL, selector, SERIES } from './queries.ts';
import type { Recording } from './rule-file.ts';
import type { Thresholds } from './settings/thresholds.ts';

/** The labels that tell guards apart, in alerts. */
export const BY_GUARD: string = [LABEL.namespace, LABEL.service, LABEL.guard].join(', ');

/** Calls a second by outcome and origin, but for those that the cache answered or the caller gave up; those that never happen have no series. */
export const CALLS = 'guard:calls:rate5m';
const TROUBLED_CALLS = 'guard_in_trouble:calls:rate5m';
/** Attempts a second that failed or timed out; nothing where none does. */
export const FAILED_ATTEMPTS = 'guard:attempts_failed:rate5m';
const REJECTIONS = 'guard:rejections:rate5m';

/** Calls a second whose function ran, of guards in trouble: all others have no share that is too high. */
export const RAN = 'guard_in_trouble:calls_ran:rate5m';

/** Share of the slots in use, of the fullest instance, over five minutes; only what is above one of the thresholds. */
export const BULKHEAD_USE = 'guard:bulkhead_use:avg5m';

/** Answers a second that a cache gave past their time since its source failed; nothing where there are none. */
export const STALE_ANSWERS = 'guard:cache_stale_errors:rate5m';

/** Keys that have state of their own, by the state of their breaker; states that no key is in have no series. */
export const KEYS = 'guard:keys:sum';

const sum = (inner: string, ...labels: readonly string[]): string =>
  `sum by (${[BY_GUARD, ...labels].join(', ')}) (${inner})`;

const outcomes = (values: string): string => `${LABEL.outcome}=~"${values}"`;

/**
 * A rate over five minutes of what happens at all. Most of what is counted never happens (failures, refusals, stale values): dropping it before it is
 * summed and joined is what keeps the rules cheap over thousands of guards.
 */
export function happening(series: string, ...matchers: readonly string[]): string {
  return sum(positiveRate(series, ...matchers));
}

function positiveRate(series: string, ...matchers: readonly string[]): string {
  return `rate(${series}${selector(...matchers)}[5m]) > 0`;
}

/** Guards of which something failed, was refused or needed a stand-in. */
const TROUBLED = [
  `${CALLS}${selector(outcomes(`${FAILED}|rejected`))}`,
  `${CALLS}${selector(`${LABEL.origin}="fallback"`)}`,
  FAILED_ATTEMPTS,
  REJECTIONS,
].join(' or ');

/**
 * What several alerts compute, over five minutes and all instances. Reading a series is what costs, whatever is done with it: each is read here once,
 * and alerts read what is left of guards in trouble.
 */
export function guardRecordings(thresholds: Thresholds): readonly Recording[] {
  const { BulkheadNearlySaturated: near, BulkheadSaturated: full } = thresholds;
  return [
    {
      record: CALLS,
      expr: sum(
        positiveRate(SERIES.calls, outcomes(`${EXECUTED}|rejected`), `${LABEL.origin}!="cache"`),
        LABEL.outcome,
        LABEL.origin,
      ),
    },
    { record: FAILED_ATTEMPTS, expr: happening(SERIES.attempts, outcomes(FAILED)) },
    {
      record: REJECTIONS,
      expr: sum(positiveRate(SERIES.rejections, `${LABEL.policy}=~"bulkhead|rate_limit"`), LABEL.policy),
    },
    {
      record: TROUBLED_CALLS,
      expr: sum(`${CALLS} and on (${BY_GUARD}) (${TROUBLED})`, LABEL.outcome, LABEL.origin),
    },
    { record: RAN, expr: sum(`${TROUBLED_CALLS}${selector(outcomes(EXECUTED))}`) },
    {
      record: BULKHEAD_USE,
      expr: `max by (${BY_GUARD}) ((avg_over_time(${SERIES.bulkheadActive}[5m]) > 0) / ${SERIES.bulkheadLimit} > ${Math.min(near.ratio, full.ratio)})`,
    },
    { record: STALE_ANSWERS, expr: happening(SERIES.cacheRequests, `${LABEL.result}="stale_error"`) },
    { record: KEYS, expr: sum(`${SERIES.guardKeys} > 0`, LABEL.state) },
  ];
}

/** @returns calls a second of guards in trouble, those that the matchers choose */
export function callRate(...matchers: readonly string[]): string {
  return `sum by (${BY_GUARD}) (${TROUBLED_CALLS}${selector(...matchers)})`;
}

/**
 * @param labels those that tell the sums apart
 * @returns calls a second that failed, timed out or were refused; nothing where there are none
 */
export function badCalls(labels: string): string {
  return `sum by (${labels}) (${TROUBLED_CALLS}${selector(outcomes(`${FAILED}|rejected`))})`;
}

const SUCCEEDED = `${TROUBLED_CALLS}${selector(`${LABEL.outcome}="success"`, `${LABEL.origin}="live"`)}`;

/** Attempts a second of guards that have failed ones: these, and the last of each call that succeeded. Callers who gave up are nobody's attempt. */
export const ATTEMPTS: string = `(${FAILED_ATTEMPTS} + on (${BY_GUARD}) (${SUCCEEDED} or on (${BY_GUARD}) 0 * ${FAILED_ATTEMPTS}))`;

/**
 * @param policy `bulkhead` or `rate_limit`
 * @returns the share of the calls that the policy refused, among those and what ran; nothing where it refuses none
 */
export function refusedShare(policy: string): string {
  const refused = `sum by (${BY_GUARD}) (${REJECTIONS}${selector(`${LABEL.policy}="${policy}"`)})`;
  return `${refused} / (${refused} + (${RAN} or 0 * ${refused}))`;
}
