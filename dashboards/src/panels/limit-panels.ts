import * as units from '@grafana/grafana-foundation-sdk/units';
import { GUARD, GUARD_LEGEND, quantile, rate, SCOPE, sum } from '../guard-queries.ts';
import { GUARDS } from '../panel-ids.ts';
import { LABEL, selector, SERIES } from '../queries.ts';
import type { AnyPanel, PanelMaker } from './panel-maker.ts';

/** Rate limits, waits, caches and keyed guards. */
export const limitPanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.lines({
    id: GUARDS.rateLimiter,
    title: 'Rate limit: tokens left',
    description:
      'Calls that may start at once, and how many a period allows. Worry when the tokens stay near 0: calls wait or are refused.',
    unit: units.Short,
    width: 6,
    queries: [
      { expr: sum(SERIES.rateLimiterAvailable), legend: `${GUARD_LEGEND} left` },
      { expr: sum(SERIES.rateLimiterLimit), legend: `${GUARD_LEGEND} limit` },
    ],
    related: ['RateLimitRejections'],
    noValue: 'no rate limit',
  }),
  make.lines({
    id: GUARDS.bulkheadWait,
    title: 'Wait for a slot p95',
    description:
      'How long those calls waited that had to. Worry when it nears the queue timeout: the queue hides that the dependency is too slow.',
    unit: units.Seconds,
    width: 6,
    queries: [{ expr: quantile(0.95, SERIES.bulkheadWaitBucket), legend: GUARD_LEGEND }],
    related: ['BulkheadNearlySaturated'],
    noValue: 'nobody waited',
  }),
  make.lines({
    id: GUARDS.cacheRequests,
    title: 'Cache answers by result',
    description:
      'Calls with a cache key a second, and the keys held. Worry about stale_error: the source is down and old values stand in.',
    unit: units.CountsPerSecond,
    width: 6,
    queries: [
      {
        expr: rate(SERIES.cacheRequests, ...GUARD, LABEL.result),
        legend: `${GUARD_LEGEND} {{${LABEL.result}}}`,
      },
      { expr: sum(SERIES.cacheEntries), legend: `${GUARD_LEGEND} keys held` },
    ],
    noValue: 'no cache',
  }),
  make.lines({
    id: GUARDS.keyedState,
    title: 'Keys by breaker state',
    description:
      'Keys, such as hosts or tenants, that have state of their own, by the state of their breaker. Worry when many are open at once: it is not the keys.',
    unit: units.Short,
    width: 6,
    queries: [
      {
        expr: `sum by (${[...GUARD, LABEL.state].join(', ')}) (${SERIES.guardKeys}${selector(...SCOPE)})`,
        legend: `${GUARD_LEGEND} {{${LABEL.state}}}`,
      },
    ],
    noValue: 'no keys',
  }),
  make.lines({
    id: GUARDS.storeFailures,
    title: 'Failures of shared stores',
    description:
      'Questions a second to the store of a rate limit, and operations of a cache’s second tier, that failed or took too long. Worry about any: instances no longer act together.',
    unit: units.CountsPerSecond,
    width: 6,
    queries: [
      { expr: rate(SERIES.storeFailures, ...GUARD), legend: `${GUARD_LEGEND} rate limit` },
      { expr: rate(SERIES.unlimitedCalls, ...GUARD), legend: `${GUARD_LEGEND} calls without a limit` },
      { expr: rate(SERIES.cacheTierFailures, ...GUARD), legend: `${GUARD_LEGEND} cache` },
    ],
    noValue: 'no shared store',
  }),
];
