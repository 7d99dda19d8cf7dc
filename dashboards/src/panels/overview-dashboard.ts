import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Alert } from '../alert.ts';
import { failureRatio, GUARD, GUARD_LEGEND, quantile, RATE, SERVICE } from '../guard-queries.ts';
import { GUARDS, OVERVIEW } from '../panel-ids.ts';
import { LABEL, NOT_CLOSED, selector, SERIES } from '../queries.ts';
import type { Settings } from '../settings/settings.ts';
import { BUDGET, errorRatio } from '../slo.ts';
import { STATE_MAPPINGS, stateCode } from './breaker-states.ts';
import { dashboard, SERVICE_VARIABLE } from './dashboard-frame.ts';
import { type AnyPanel, link, PanelMaker, row } from './panel-maker.ts';

const SERVER = 'span_kind="SPAN_KIND_SERVER"';
const BY = LABEL.service;
const LEGEND = `{{${LABEL.service}}}`;
const FIRING = `ALERTS{alertstate="firing",severity=~"critical|warning",${LABEL.service}=~"$service|"}`;

const requests = (series: string, ...matchers: readonly string[]): string =>
  `sum by (${BY}) (rate(${series}${selector(SERVICE, SERVER, ...matchers)}[${RATE}]))`;
const requestQuantile = (q: number): string =>
  `histogram_quantile(${q}, sum by (le, ${BY}) (rate(${SERIES.spanDurationBucket}${selector(SERVICE, SERVER)}[${RATE}])))`;
const guardRate = `sum by (${GUARD.join(', ')}) (rate(${SERIES.calls}${selector(SERVICE)}[${RATE}]))`;

/** Opens the guards dashboard at one guard. `from` is how Grafana names the labels where the link is. */
const toGuard = (from: (label: string) => string) =>
  link(
    'This guard',
    `/d/${GUARDS.uid}?var-service=${from(LABEL.service)}&var-guard=${from(LABEL.guard)}&\${__url_time_range}`,
  );
const guardOfSeries = toGuard((label) => `\${__field.labels.${label}}`);
const guardOfRow = toGuard((label) => `\${__data.fields.${label}}`);

const nowPanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.figure({
    id: OVERVIEW.firing,
    title: 'Alerts firing',
    description: 'Critical ones and warnings. Worry above 0; the table below names them.',
    unit: units.Short,
    width: 6,
    height: 4,
    queries: [{ expr: `count(${FIRING}) or vector(0)`, legend: 'firing' }],
    badFrom: 1,
  }),
  make.figure({
    id: OVERVIEW.notClosed,
    title: 'Breakers not closed',
    description: 'Guards that refuse calls now. Worry above 0.',
    unit: units.Short,
    width: 6,
    height: 4,
    queries: [
      {
        expr: `count(max by (${GUARD.join(', ')}) (${SERIES.breakerState}${selector(SERVICE, `${LABEL.state}=~"${NOT_CLOSED}"`)}) == 1) or vector(0)`,
        legend: 'not closed',
      },
    ],
    related: ['CircuitBreakerOpen'],
    badFrom: 1,
  }),
  make.figure({
    id: OVERVIEW.silent,
    title: 'Services that speak',
    description:
      'Services heard of in the last five minutes. Worry when it falls: somebody is down, or cut off.',
    unit: units.Short,
    width: 6,
    height: 4,
    queries: [
      {
        expr: `count(count by (${BY}) (${SERIES.targetInfo}${selector(SERVICE, 'telemetry_sdk_name!=""')}))`,
        legend: 'services',
      },
    ],
    related: ['ServiceTelemetryMissing'],
  }),
  make.figure({
    id: OVERVIEW.worstBurn,
    title: 'Worst burn rate of an hour',
    description:
      'How many times faster than allowed errors come, of the worst service and objective. Worry above 1.',
    unit: units.Short,
    width: 6,
    height: 4,
    queries: [
      {
        expr: `max(${errorRatio('1h')}${selector(SERVICE)} / on (slo) group_left () ${BUDGET})`,
        legend: 'times',
      },
    ],
    related: ['ErrorBudgetBurn'],
    noValue: 'no requests',
    badFrom: 1,
  }),
];

const servicePanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.lines({
    id: OVERVIEW.requestRate,
    title: 'Requests a second',
    description:
      'Server spans, counted by the Collector before any sampling; Jaeger’s Monitor tab reads the same. Worry when it falls to nothing.',
    unit: units.RequestsPerSecond,
    width: 8,
    queries: [{ expr: requests(SERIES.spanCalls), legend: LEGEND }],
    related: ['ServiceTelemetryMissing'],
  }),
  make.lines({
    id: OVERVIEW.requestErrors,
    title: 'Failed share of requests',
    description: 'Server spans that ended in an error. Worry when it stays above what the objective allows.',
    unit: units.PercentUnit,
    width: 8,
    queries: [
      {
        expr: `${requests(SERIES.spanCalls, 'status_code="STATUS_CODE_ERROR"')} / ${requests(SERIES.spanCalls)}`,
        legend: LEGEND,
      },
    ],
    related: ['ErrorBudgetBurn'],
    noValue: 'none failed',
    max: 1,
  }),
  make.lines({
    id: OVERVIEW.requestDuration,
    title: 'Request duration p95, p99',
    description: 'Of server spans. Worry when it leaves what is usual. The diamonds open a trace in Jaeger.',
    unit: units.Milliseconds,
    width: 8,
    queries: [
      { expr: requestQuantile(0.95), legend: `p95 ${LEGEND}` },
      { expr: requestQuantile(0.99), legend: `p99 ${LEGEND}`, exemplar: true },
    ],
    related: ['ErrorBudgetBurn'],
  }),
];

const guardPanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.table({
    id: OVERVIEW.guardTable,
    title: 'Guards',
    description:
      'Calls a second, failed share and p95 of each guard as they are now. Worry about the worst share; a click on a row opens the guard.',
    unit: units.Short,
    width: 12,
    queries: [
      { expr: guardRate, legend: '' },
      { expr: failureRatio(SERVICE), legend: '' },
      { expr: quantile(0.95, SERIES.callDurationBucket, [SERVICE]), legend: '' },
    ],
    columns: {
      [LABEL.service]: 'Service',
      [LABEL.guard]: 'Guard',
      'Value #A': 'Calls/s',
      'Value #B': 'Failed share',
      'Value #C': 'p95 (s)',
    },
    related: ['CallFailureRatioHigh'],
    links: [guardOfRow],
  }),
  make
    .states({
      id: OVERVIEW.breakerStates,
      title: 'Breakers',
      description: 'The worst state over all instances. Worry while one is not closed.',
      unit: units.Short,
      width: 12,
      queries: [{ expr: stateCode(SERVICE), legend: GUARD_LEGEND }],
      related: ['CircuitBreakerOpen', 'CircuitBreakerFlapping'],
      links: [guardOfSeries],
    })
    .mappings(STATE_MAPPINGS),
  make.lines({
    id: OVERVIEW.guardRate,
    title: 'Guarded calls a second',
    description: 'By guard. Worry when one falls to nothing, or multiplies.',
    unit: units.CountsPerSecond,
    width: 8,
    queries: [{ expr: guardRate, legend: GUARD_LEGEND }],
    related: ['RetryStorm'],
    links: [guardOfSeries],
  }),
  make.lines({
    id: OVERVIEW.guardErrors,
    title: 'Failed share of guarded calls',
    description: 'Failures and timeouts among the calls whose function ran. Worry about any that stays.',
    unit: units.PercentUnit,
    width: 8,
    queries: [{ expr: failureRatio(SERVICE), legend: GUARD_LEGEND }],
    related: ['CallFailureRatioHigh'],
    links: [guardOfSeries],
    max: 1,
  }),
  make.lines({
    id: OVERVIEW.guardDuration,
    title: 'Guarded calls p99',
    description: 'Waits and retries included. Worry when it nears the guard’s timeout.',
    unit: units.Seconds,
    width: 8,
    queries: [
      { expr: quantile(0.99, SERIES.callDurationBucket, [SERVICE]), legend: GUARD_LEGEND, exemplar: true },
    ],
    related: ['CallTimeoutRatioHigh'],
    links: [guardOfSeries],
  }),
];

const objectivePanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.lines({
    id: OVERVIEW.burnRate,
    title: 'Burn rate over an hour',
    description:
      'How many times faster than its objective allows a service has errors or slow requests. Worry above a line: each alert has its own, over its own windows.',
    unit: units.Short,
    width: 12,
    queries: [
      {
        expr: `${errorRatio('1h')}${selector(SERVICE)} / on (slo) group_left () ${BUDGET}`,
        legend: `${LEGEND} {{slo}}`,
      },
    ],
    noValue: 'no requests',
  }),
  make.lines({
    id: OVERVIEW.budgetSpent,
    title: 'Share of the budget spent in three days',
    description:
      'Of the error budget of thirty days. Worry above a tenth: at that pace it is just used up at the end.',
    unit: units.PercentUnit,
    width: 12,
    queries: [
      {
        expr: `0.1 * ${errorRatio('3d')}${selector(SERVICE)} / on (slo) group_left () ${BUDGET}`,
        legend: `${LEGEND} {{slo}}`,
      },
    ],
    related: ['ErrorBudgetBurn'],
    noValue: 'no requests',
  }),
];

const alertPanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.table({
    id: OVERVIEW.alertTable,
    title: 'Firing alerts',
    description: 'Worry about critical first. Each has a page in the runbooks, under its name.',
    unit: units.Short,
    width: 24,
    queries: [{ expr: FIRING, legend: '' }],
    columns: { alertname: 'Alert', severity: 'Severity', [LABEL.service]: 'Service', [LABEL.guard]: 'Guard' },
    noValue: 'none',
  }),
];

/** @returns the dashboard to begin with: requests and guards at a glance, with links down */
export function overviewDashboard(alerts: readonly Alert[], settings: Settings): Dashboard {
  const make = new PanelMaker(OVERVIEW.uid, alerts);
  return dashboard(
    {
      uid: OVERVIEW.uid,
      title: 'Keelson: overview',
      description: 'Requests and guarded calls: rate, errors, duration, objectives, and what fires.',
      variables: [SERVICE_VARIABLE],
      transitions: true,
      sections: [
        { head: row(OVERVIEW.alertRow, 'Now'), panels: nowPanels(make) },
        { head: row(OVERVIEW.serviceRow, 'Services'), panels: servicePanels(make) },
        { head: row(OVERVIEW.guardRow, 'Guards'), panels: guardPanels(make) },
        {
          head: row(OVERVIEW.objectiveRow, 'Objectives and alerts'),
          panels: [...objectivePanels(make), ...alertPanels(make)],
        },
      ],
    },
    settings,
  );
}
