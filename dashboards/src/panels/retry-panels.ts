import * as units from '@grafana/grafana-foundation-sdk/units';
import { GUARD, GUARD_LEGEND, rate, RATE, rateOf, SCOPE } from '../guard-queries.ts';
import { GUARDS } from '../panel-ids.ts';
import { LABEL, selector, SERIES } from '../queries.ts';
import type { AnyPanel, PanelMaker } from './panel-maker.ts';

/** Retries, what they cost, and what stands in when they do not help. */
export const retryPanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.lines({
    id: GUARDS.attempts,
    title: 'Attempts by outcome',
    description:
      'Executions a second, retries included. Worry when many fail although the calls succeed: the dependency is ill, and retries hide it.',
    unit: units.CountsPerSecond,
    width: 8,
    queries: [
      {
        expr: rate(SERIES.attempts, ...GUARD, LABEL.outcome),
        legend: `${GUARD_LEGEND} {{${LABEL.outcome}}}`,
      },
    ],
  }),
  make.lines({
    id: GUARDS.attemptsPerCall,
    title: 'Attempts for each call',
    description:
      'How often the function runs for one call that runs at all. Worry above the line: retries multiply the load on a dependency that already fails.',
    unit: units.Short,
    width: 8,
    queries: [
      {
        expr: `${rateOf(SERIES.attempts)} / ${rateOf(SERIES.calls, `${LABEL.outcome}!="rejected"`, `${LABEL.origin}!="cache"`)}`,
        legend: GUARD_LEGEND,
      },
    ],
  }),
  make.lines({
    id: GUARDS.retrySuppressed,
    title: 'Retries not made',
    description:
      'Failed attempts that were not followed by another, by the reason. Worry about budget and deadline: retries no longer help.',
    unit: units.CountsPerSecond,
    width: 8,
    queries: [
      {
        expr: rate(SERIES.retrySuppressed, ...GUARD, LABEL.reason),
        legend: `${GUARD_LEGEND} {{${LABEL.reason}}}`,
      },
    ],
    noValue: 'none',
  }),
  make.lines({
    id: GUARDS.rejections,
    title: 'Rejections by policy',
    description:
      'Calls and further attempts a second that a policy refused. Worry about full: the bulkhead is too small, or the dependency too slow.',
    unit: units.CountsPerSecond,
    width: 6,
    queries: [
      {
        expr: rate(SERIES.rejections, ...GUARD, LABEL.policy, LABEL.reason),
        legend: `${GUARD_LEGEND} {{${LABEL.policy}}} {{${LABEL.reason}}}`,
      },
    ],
    related: ['CircuitBreakerOpen', 'BulkheadSaturated', 'RateLimitRejections'],
    noValue: 'none',
  }),
  make.lines({
    id: GUARDS.rejectedShare,
    title: 'Rejected share of all calls',
    description:
      'By policy. Worry above the line where it is the rate limit: the quota does not fit the traffic.',
    unit: units.PercentUnit,
    width: 6,
    queries: [
      {
        expr: `${rate(SERIES.rejections, ...GUARD, LABEL.policy)} / on (${GUARD.join(', ')}) group_left () ${rateOf(SERIES.calls)}`,
        legend: `${GUARD_LEGEND} {{${LABEL.policy}}}`,
      },
    ],
    noValue: 'none',
    max: 1,
  }),
  make.lines({
    id: GUARDS.standIns,
    title: 'Values that stood in',
    description:
      'Successful calls a second whose value was not live. Worry when fallback or stale grows: callers are served, with less than they asked for.',
    unit: units.CountsPerSecond,
    width: 6,
    queries: [
      {
        expr: `sum by (${[...GUARD, LABEL.origin].join(', ')}) (rate(${SERIES.calls}${selector(...SCOPE, `${LABEL.outcome}="success"`, `${LABEL.origin}!="live"`)}[${RATE}]))`,
        legend: `${GUARD_LEGEND} {{${LABEL.origin}}}`,
      },
    ],
    noValue: 'none',
  }),
  make.lines({
    id: GUARDS.waitTime,
    title: 'Time spent waiting',
    description:
      'Seconds a second that calls spend in backoff or in a queue. Worry when it nears the number of calls in flight: callers wait more than they work.',
    unit: units.Seconds,
    width: 6,
    queries: [
      { expr: rate(SERIES.waitTime, ...GUARD, LABEL.policy), legend: `${GUARD_LEGEND} {{${LABEL.policy}}}` },
    ],
    noValue: 'none',
  }),
];
