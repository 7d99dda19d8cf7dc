import type { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { GUARD, GUARD_LEGEND, quantile, rate, SCOPE, sum } from './guard-queries.ts';
import { PANEL } from './panel-ids.ts';
import { lines } from './panels.ts';
import { LABEL, selector, SERIES } from './queries.ts';

/** Rate limits, waits, caches and keyed guards. */
export const limitPanels: readonly PanelBuilder[] = [
  lines({
    id: PANEL.rateLimiter,
    title: 'Rate limit: tokens left',
    description:
      'Calls that may start at once, and how many a period allows. Worry when the tokens stay near 0: calls wait or are refused. Alert: none yet.',
    unit: units.Short,
    width: 6,
    queries: [
      { expr: sum(SERIES.rateLimiterAvailable), legend: `${GUARD_LEGEND} left` },
      { expr: sum(SERIES.rateLimiterLimit), legend: `${GUARD_LEGEND} limit` },
      { expr: rate(SERIES.storeFailures, ...GUARD), legend: `${GUARD_LEGEND} store failures a second` },
      { expr: rate(SERIES.unlimitedCalls, ...GUARD), legend: `${GUARD_LEGEND} without a limit a second` },
    ],
    noValue: 'no rate limit',
  }),
  lines({
    id: PANEL.bulkheadWait,
    title: 'Wait for a slot p95',
    description:
      'How long those calls waited that had to. Worry when it nears the queue timeout: the queue hides that the dependency is too slow. Alert: none yet.',
    unit: units.Seconds,
    width: 6,
    queries: [{ expr: quantile(0.95, SERIES.bulkheadWaitBucket), legend: GUARD_LEGEND }],
    noValue: 'nobody waited',
  }),
  lines({
    id: PANEL.cacheRequests,
    title: 'Cache answers by result',
    description:
      'Calls with a cache key a second, and the keys held. Worry about stale_error: the source is down and old values stand in. Alert: CircuitBreakerOpen.',
    unit: units.CountsPerSecond,
    width: 6,
    queries: [
      {
        expr: rate(SERIES.cacheRequests, ...GUARD, LABEL.result),
        legend: `${GUARD_LEGEND} {{${LABEL.result}}}`,
      },
      { expr: sum(SERIES.cacheEntries), legend: `${GUARD_LEGEND} keys held` },
      { expr: rate(SERIES.cacheTierFailures, ...GUARD), legend: `${GUARD_LEGEND} second tier failures` },
    ],
    noValue: 'no cache',
  }),
  lines({
    id: PANEL.keyedState,
    title: 'Keys by breaker state',
    description:
      'Keys, such as hosts or tenants, that have state of their own, by the state of their breaker. Worry when many are open at once: it is not the keys. Alert: none yet.',
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
];
