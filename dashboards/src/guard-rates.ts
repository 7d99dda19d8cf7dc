import { EXECUTED, FAILED, LABEL, selector, SERIES } from './queries.ts';
import type { Recording } from './rule-file.ts';

/** The labels that tell guards apart, in alerts. */
export const BY_GUARD: string = [LABEL.namespace, LABEL.service, LABEL.guard].join(', ');

/** Calls a second by outcome and origin, but for those that the cache answered; those that never happen have no series. */
export const CALLS = 'guard:calls:rate5m';
const ATTEMPTS_FAILED = 'guard:attempts_failed:rate5m';
const REJECTIONS = 'guard:rejections:rate5m';

/** Calls a second whose function ran. */
export const RAN = 'guard:calls_ran:rate5m';

const sum = (inner: string, ...labels: readonly string[]): string =>
  `sum by (${[BY_GUARD, ...labels].join(', ')}) (${inner})`;

/**
 * A rate over five minutes of what happens at all. Most of what is counted never happens (failures, refusals, stale values): dropping it before it is
 * summed and joined is what keeps the rules cheap over thousands of guards.
 */
export function happening(series: string, ...matchers: readonly string[]): string {
  return sum(`rate(${series}${selector(...matchers)}[5m]) > 0`);
}

/** Rates over five minutes and all instances, computed once for all alerts. */
export const GUARD_RATES: readonly Recording[] = [
  {
    record: CALLS,
    expr: sum(
      `rate(${SERIES.calls}${selector(`${LABEL.origin}!="cache"`)}[5m]) > 0`,
      LABEL.outcome,
      LABEL.origin,
    ),
  },
  {
    record: RAN,
    expr: sum(`${CALLS}${selector(`${LABEL.outcome}=~"${EXECUTED}"`)}`),
  },
  { record: ATTEMPTS_FAILED, expr: happening(SERIES.attempts, `${LABEL.outcome}=~"${FAILED}"`) },
  {
    record: REJECTIONS,
    expr: sum(
      `rate(${SERIES.rejections}${selector(`${LABEL.policy}=~"bulkhead|rate_limit"`)}[5m]) > 0`,
      LABEL.policy,
    ),
  },
];

/** @returns calls a second by guard, those that the matchers choose */
export function callRate(...matchers: readonly string[]): string {
  return `sum by (${BY_GUARD}) (${CALLS}${selector(...matchers)})`;
}

/** Attempts a second that failed or timed out; nothing where none does. */
export const FAILED_ATTEMPTS: string = ATTEMPTS_FAILED;

const SUCCEEDED = `${CALLS}${selector(`${LABEL.outcome}="success"`, `${LABEL.origin}="live"`)}`;

/** Attempts a second of guards that have failed ones: these, and the last of each call that succeeded. Callers who gave up are nobody's attempt. */
export const ATTEMPTS: string = `(${ATTEMPTS_FAILED} + on (${BY_GUARD}) (${SUCCEEDED} or on (${BY_GUARD}) 0 * ${ATTEMPTS_FAILED}))`;

/**
 * @param policy `bulkhead` or `rate_limit`
 * @returns the share of the calls that the policy refused, among those and what ran; nothing where it refuses none
 */
export function refusedShare(policy: string): string {
  const refused = `sum by (${BY_GUARD}) (${REJECTIONS}${selector(`${LABEL.policy}="${policy}"`)})`;
  return `${refused} / (${refused} + (${RAN} or 0 * ${refused}))`;
}
