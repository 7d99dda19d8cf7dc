import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Alert } from '../alert.ts';
import { failureRatio, GUARD, GUARD_LEGEND, quantile, rate, SCOPE, SERVICE, sum } from '../guard-queries.ts';
import { GUARDS } from '../panel-ids.ts';
import { LABEL, selector, SERIES } from '../queries.ts';
import type { Settings } from '../settings/settings.ts';
import { STATE_MAPPINGS, stateCode } from './breaker-states.ts';
import { dashboard, SERVICE_VARIABLE } from './dashboard-frame.ts';
import { limitPanels } from './limit-panels.ts';
import { type AnyPanel, PanelMaker, row } from './panel-maker.ts';
import { retryPanels } from './retry-panels.ts';

/** Calls: rate, errors, duration. */
const callPanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.lines({
    id: GUARDS.callRate,
    title: 'Calls by outcome',
    description:
      'Guarded calls a second by how they ended. Worry when rejected or failure displaces success.',
    unit: units.CountsPerSecond,
    width: 8,
    queries: [
      { expr: rate(SERIES.calls, ...GUARD, LABEL.outcome), legend: `${GUARD_LEGEND} {{${LABEL.outcome}}}` },
    ],
    related: ['CallFailureRatioHigh', 'CircuitBreakerOpen'],
  }),
  make.lines({
    id: GUARDS.failureRatio,
    title: 'Failed share of executed calls',
    description:
      'Failures and timeouts among the calls whose function ran, retries included. Worry above the line for minutes.',
    unit: units.PercentUnit,
    width: 8,
    queries: [{ expr: failureRatio(...SCOPE), legend: GUARD_LEGEND }],
    related: ['ErrorBudgetBurn'],
    max: 1,
  }),
  make.lines({
    id: GUARDS.callDuration,
    title: 'Call duration p50, p95, p99',
    description:
      'Waits and retries included. Worry when p99 nears the timeout of the guard. The diamonds are exemplars: they open a trace in Jaeger.',
    unit: units.Seconds,
    width: 8,
    queries: [
      { expr: quantile(0.5), legend: `p50 ${GUARD_LEGEND}` },
      { expr: quantile(0.95), legend: `p95 ${GUARD_LEGEND}` },
      { expr: quantile(0.99), legend: `p99 ${GUARD_LEGEND}`, exemplar: true },
    ],
  }),
];

const breakerPanels = (make: PanelMaker): readonly AnyPanel[] => [
  make
    .states({
      id: GUARDS.breakerState,
      title: 'Breaker state',
      description:
        'The worst state over all instances. Worry while it is anything but closed: calls are refused, or let through on trial.',
      unit: units.Short,
      width: 12,
      queries: [{ expr: stateCode(...SCOPE), legend: GUARD_LEGEND }],
    })
    .mappings(STATE_MAPPINGS),
  make.lines({
    id: GUARDS.breakerTransitions,
    title: 'Breaker transitions',
    description:
      'State changes by the state they lead to. Worry when open recurs every few minutes: the dependency recovers just long enough for the trials.',
    unit: units.CountsPerSecond,
    width: 12,
    queries: [
      {
        expr: rate(SERIES.breakerTransitions, ...GUARD, LABEL.to),
        legend: `${GUARD_LEGEND} to {{${LABEL.to}}}`,
      },
    ],
  }),
];

const bulkheadPanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.lines({
    id: GUARDS.bulkheadSaturation,
    title: 'Bulkhead saturation',
    description: 'Slots in use over slots. Worry above the lines: calls queue, then they are refused.',
    unit: units.PercentUnit,
    width: 8,
    queries: [{ expr: `${sum(SERIES.bulkheadActive)} / ${sum(SERIES.bulkheadLimit)}`, legend: GUARD_LEGEND }],
    noValue: 'no bulkhead',
    max: 1,
  }),
  make.lines({
    id: GUARDS.bulkheadQueue,
    title: 'Bulkhead queue',
    description:
      'Calls that wait for a slot, and how many may. Worry when the queue stays near its limit: what comes next is rejected as full.',
    unit: units.Short,
    width: 8,
    queries: [
      { expr: sum(SERIES.bulkheadQueued), legend: `${GUARD_LEGEND} waiting` },
      { expr: sum(SERIES.bulkheadQueueLimit), legend: `${GUARD_LEGEND} limit` },
    ],
    related: ['BulkheadSaturated'],
    noValue: 'no bulkhead',
  }),
  make.lines({
    id: GUARDS.abandoned,
    title: 'Abandoned functions',
    description:
      'Functions still running although their call has ended: they ignore their signal. Worry when it grows: they hold sockets and memory.',
    unit: units.Short,
    width: 8,
    queries: [{ expr: sum(SERIES.abandoned), legend: GUARD_LEGEND }],
  }),
];

/** @returns the dashboard about guards: every policy of every guard */
export function guardsDashboard(alerts: readonly Alert[], settings: Settings): Dashboard {
  const make = new PanelMaker(GUARDS.uid, alerts);
  return dashboard(
    {
      uid: GUARDS.uid,
      title: 'Keelson: guards',
      description: 'Every guarded call: outcomes, breakers, retries, bulkheads, limits and caches.',
      variables: [
        SERVICE_VARIABLE,
        { name: 'guard', label: 'Guard', series: `${SERIES.calls}${selector(SERVICE)}`, of: LABEL.guard },
      ],
      transitions: true,
      sections: [
        { head: row(GUARDS.callsRow, 'Calls'), panels: callPanels(make) },
        { head: row(GUARDS.breakerRow, 'Circuit breakers'), panels: breakerPanels(make) },
        { head: row(GUARDS.retryRow, 'Retries and rejections'), panels: retryPanels(make) },
        { head: row(GUARDS.bulkheadRow, 'Bulkheads'), panels: bulkheadPanels(make) },
        { head: row(GUARDS.limitRow, 'Limits, caches and keys'), panels: limitPanels(make) },
      ],
    },
    settings,
  );
}
