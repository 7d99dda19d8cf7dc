import { LABEL, selector, SERIES } from './queries.ts';
import type { Recording } from './rule-file.ts';

/** The labels that tell guards apart, in alerts. */
export const BY_GUARD: string = [LABEL.namespace, LABEL.service, LABEL.guard].join(', ');

const CALLS = 'guard:calls:rate5m';
const ATTEMPTS = 'guard:attempts:rate5m';
const REJECTIONS = 'guard:rejections:rate5m';

const recorded = (record: string, series: string, ...labels: readonly string[]): Recording => ({
  record,
  expr: `sum by (${[BY_GUARD, ...labels].join(', ')}) (rate(${series}[5m]))`,
});

/** Rates over five minutes and all instances, computed once for all alerts. */
export const GUARD_RATES: readonly Recording[] = [
  recorded(CALLS, SERIES.calls, LABEL.outcome, LABEL.origin),
  recorded(ATTEMPTS, SERIES.attempts, LABEL.outcome),
  recorded(REJECTIONS, SERIES.rejections, LABEL.policy),
];

/** @returns calls a second by guard, those that the matchers choose */
export function callRate(...matchers: readonly string[]): string {
  return `sum by (${BY_GUARD}) (${CALLS}${selector(...matchers)})`;
}

/** @returns attempts a second by guard */
export function attemptRate(...matchers: readonly string[]): string {
  return `sum by (${BY_GUARD}) (${ATTEMPTS}${selector(...matchers)})`;
}

/** @returns calls and further attempts a second that a policy refused, by guard */
export function rejectionRate(policy: string): string {
  return `sum by (${BY_GUARD}) (${REJECTIONS}${selector(`${LABEL.policy}="${policy}"`)})`;
}
