import * as common from '@grafana/grafana-foundation-sdk/common';
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  MappingType,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableHide,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { GUARDS_UID, JAEGER_URL, PANEL } from './panel-ids.ts';
import { DATASOURCE, figure, lines, row, states, steps } from './panels.ts';
import { GUARD, GUARD_LEGEND, quantile, rate, RATE, SCOPE, SERVICE, sum } from './guard-queries.ts';
import { limitPanels } from './limit-panels.ts';
import { failureRatio, LABEL, NOT_CLOSED, selector, SERIES, THRESHOLD } from './queries.ts';
import { telemetryPanels } from './telemetry-panels.ts';

/** One number for each state, the worst highest, so that `max` over instances shows the worst. */
const STATE_CODES: readonly (readonly [state: string, code: number, text: string, color: string])[] = [
  ['closed', 0, 'closed', 'green'],
  ['disabled', 1, 'disabled', 'blue'],
  ['half_open', 2, 'half-open', 'yellow'],
  ['open', 3, 'open', 'red'],
  ['forced_open', 4, 'forced open', 'purple'],
];

function stateCode(): string {
  const parts = STATE_CODES.map(
    ([state, code]) => `${code} * ${SERIES.breakerState}${selector(...SCOPE, `${LABEL.state}="${state}"`)}`,
  );
  return `max by (${GUARD.join(', ')}) (${parts.join(' or ')})`;
}

const bulkheadUse = `${sum(SERIES.bulkheadActive)} / ${sum(SERIES.bulkheadLimit)}`;

/** Calls: rate, errors, duration. */
const callPanels = [
  lines({
    id: PANEL.callRate,
    title: 'Calls by outcome',
    description:
      'Guarded calls a second by how they ended. Worry when rejected or failure displaces success. Alerts: CallFailureRatioHigh, CircuitBreakerOpen.',
    unit: units.CountsPerSecond,
    width: 8,
    queries: [
      {
        expr: rate(SERIES.calls, ...GUARD, LABEL.outcome),
        legend: `${GUARD_LEGEND} {{${LABEL.outcome}}}`,
      },
    ],
  }),
  lines({
    id: PANEL.failureRatio,
    title: 'Failed share of executed calls',
    description: `Failures and timeouts among the calls whose function ran, retries included. Worry above ${THRESHOLD.failureRatio * 100} % for minutes. Alert: CallFailureRatioHigh.`,
    unit: units.PercentUnit,
    width: 8,
    queries: [{ expr: failureRatio(GUARD, RATE, ...SCOPE), legend: GUARD_LEGEND }],
  })
    .max(1)
    .thresholds(steps({ value: null, color: 'green' }, { value: THRESHOLD.failureRatio, color: 'red' }))
    .thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
    ),
  lines({
    id: PANEL.callDuration,
    title: 'Call duration p50, p95, p99',
    description:
      'Waits and retries included. Worry when p99 nears the timeout of the guard. The diamonds are exemplars: they open a trace in Jaeger. Alert: none; CircuitBreakerOpen follows where slow calls open the breaker.',
    unit: units.Seconds,
    width: 8,
    queries: [
      { expr: quantile(0.5), legend: `p50 ${GUARD_LEGEND}` },
      { expr: quantile(0.95), legend: `p95 ${GUARD_LEGEND}` },
      { expr: quantile(0.99), legend: `p99 ${GUARD_LEGEND}`, exemplar: true },
    ],
  }),
];

const breakerPanels = [
  states({
    id: PANEL.breakerState,
    title: 'Breaker state',
    description:
      'The worst state over all instances. Worry while it is anything but closed: calls are refused, or let through on trial. Alert: CircuitBreakerOpen.',
    unit: units.Short,
    width: 12,
    queries: [{ expr: stateCode(), legend: GUARD_LEGEND }],
  }).mappings([
    {
      type: MappingType.ValueToText,
      options: Object.fromEntries(
        STATE_CODES.map(([, code, text, color]) => [String(code), { text, color, index: code }]),
      ),
    },
  ]),
  lines({
    id: PANEL.breakerTransitions,
    title: 'Breaker transitions',
    description:
      'State changes by the state they lead to. Worry when open recurs every few minutes: the dependency recovers just long enough for the trials. Alert: CircuitBreakerOpen.',
    unit: units.CountsPerSecond,
    width: 8,
    queries: [
      {
        expr: rate(SERIES.breakerTransitions, ...GUARD, LABEL.to),
        legend: `${GUARD_LEGEND} to {{${LABEL.to}}}`,
      },
    ],
  }),
  figure({
    id: PANEL.notClosed,
    title: 'Breakers not closed',
    description: 'How many guards refuse calls now. Worry above 0. Alert: CircuitBreakerOpen.',
    unit: units.Short,
    width: 4,
    queries: [
      {
        expr: `count(max by (${GUARD.join(', ')}) (${SERIES.breakerState}${selector(...SCOPE, `${LABEL.state}=~"${NOT_CLOSED}"`)}) == 1) or vector(0)`,
        legend: 'not closed',
      },
    ],
  }).thresholds(steps({ value: null, color: 'green' }, { value: 1, color: 'red' })),
];

const retryPanels = [
  lines({
    id: PANEL.attempts,
    title: 'Attempts by outcome',
    description:
      'Executions a second, retries included. Worry when they run far ahead of the calls: retries multiply the load on a dependency that already fails. Alert: CallFailureRatioHigh.',
    unit: units.CountsPerSecond,
    width: 6,
    queries: [
      {
        expr: rate(SERIES.attempts, ...GUARD, LABEL.outcome),
        legend: `${GUARD_LEGEND} {{${LABEL.outcome}}}`,
      },
    ],
  }),
  lines({
    id: PANEL.retrySuppressed,
    title: 'Retries not made',
    description:
      'Failed attempts that were not followed by another, by the reason. Worry about budget and deadline: retries no longer help. Alert: CallFailureRatioHigh.',
    unit: units.CountsPerSecond,
    width: 6,
    queries: [
      {
        expr: rate(SERIES.retrySuppressed, ...GUARD, LABEL.reason),
        legend: `${GUARD_LEGEND} {{${LABEL.reason}}}`,
      },
    ],
    noValue: 'none',
  }),
  lines({
    id: PANEL.rejections,
    title: 'Rejections by policy',
    description:
      'Calls and further attempts that a policy refused. Worry about full: the bulkhead is too small, or the dependency too slow. Alert: CircuitBreakerOpen for the breaker’s own.',
    unit: units.CountsPerSecond,
    width: 6,
    queries: [
      {
        expr: rate(SERIES.rejections, ...GUARD, LABEL.policy, LABEL.reason),
        legend: `${GUARD_LEGEND} {{${LABEL.policy}}} {{${LABEL.reason}}}`,
      },
    ],
    noValue: 'none',
  }),
  lines({
    id: PANEL.waitTime,
    title: 'Time spent waiting',
    description:
      'Seconds a second that calls spend in backoff or in a queue. Worry when it nears the number of calls in flight: callers wait more than they work. Alert: none.',
    unit: units.Seconds,
    width: 6,
    queries: [
      { expr: rate(SERIES.waitTime, ...GUARD, LABEL.policy), legend: `${GUARD_LEGEND} {{${LABEL.policy}}}` },
    ],
    noValue: 'none',
  }),
];

const bulkheadPanels = [
  lines({
    id: PANEL.bulkheadSaturation,
    title: 'Bulkhead saturation',
    description: `Slots in use over slots. Worry above ${THRESHOLD.bulkheadWarning * 100} %; above ${THRESHOLD.bulkheadCritical * 100} % calls queue or are refused. Alert: none yet.`,
    unit: units.PercentUnit,
    width: 8,
    queries: [{ expr: bulkheadUse, legend: GUARD_LEGEND }],
    noValue: 'no bulkhead',
  })
    .max(1)
    .thresholds(
      steps(
        { value: null, color: 'green' },
        { value: THRESHOLD.bulkheadWarning, color: 'yellow' },
        { value: THRESHOLD.bulkheadCritical, color: 'red' },
      ),
    )
    .thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
    ),
  lines({
    id: PANEL.bulkheadQueue,
    title: 'Bulkhead queue',
    description:
      'Calls that wait for a slot, and how many may. Worry when the queue stays near its limit: what comes next is rejected as full. Alert: none yet.',
    unit: units.Short,
    width: 8,
    queries: [
      { expr: sum(SERIES.bulkheadQueued), legend: `${GUARD_LEGEND} waiting` },
      { expr: sum(SERIES.bulkheadQueueLimit), legend: `${GUARD_LEGEND} limit` },
    ],
    noValue: 'no bulkhead',
  }),
  lines({
    id: PANEL.abandoned,
    title: 'Abandoned functions',
    description:
      'Functions still running although their call has timed out: they ignore their signal. Worry when it grows: they leak sockets and memory. Alert: none.',
    unit: units.Short,
    width: 8,
    queries: [{ expr: sum(SERIES.abandoned), legend: GUARD_LEGEND }],
  }),
];

const sections = [
  { head: row(PANEL.callsRow, 'Calls'), panels: callPanels },
  { head: row(PANEL.breakerRow, 'Circuit breakers'), panels: breakerPanels },
  { head: row(PANEL.retryRow, 'Retries and rejections'), panels: retryPanels },
  { head: row(PANEL.bulkheadRow, 'Bulkheads'), panels: bulkheadPanels },
  { head: row(PANEL.limitRow, 'Limits, cache and keys'), panels: limitPanels },
  { head: row(PANEL.telemetryRow, 'Telemetry'), panels: telemetryPanels },
];

const names = (name: string, label: string, query: string): QueryVariableBuilder =>
  new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ selected: true, text: 'All', value: '$__all' });

/** @returns the dashboard about guards, in Grafana's classic form (the one that file provisioning takes) */
export function guardsDashboard(): Dashboard {
  const builder = new DashboardBuilder('Keelson: guards')
    .uid(GUARDS_UID)
    .description(
      'Every guarded call: outcomes, breakers, retries, bulkheads, and the telemetry that tells of them.',
    )
    .tags(['keelson', 'resilience', 'generated'])
    .readonly()
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(names('service', 'Service', `label_values(${SERIES.calls}, ${LABEL.service})`))
    .withVariable(
      names('guard', 'Guard', `label_values(${SERIES.calls}${selector(SERVICE)}, ${LABEL.guard})`),
    )
    .withVariable(
      new TextBoxVariableBuilder('jaeger_url')
        .label('Jaeger')
        .defaultValue(JAEGER_URL)
        .hide(VariableHide.HideVariable),
    )
    .annotation(
      new AnnotationQueryBuilder()
        .name('Firing alerts')
        .datasource(DATASOURCE)
        .enable(true)
        .iconColor('red')
        .expr(`ALERTS{alertstate="firing",severity=~"critical|warning",${SERVICE}}`)
        .titleFormat('{{alertname}}')
        .step('60s'),
    );
  for (const section of sections) {
    builder.withRow(section.head);
    for (const panel of section.panels) builder.withPanel(panel);
  }
  return builder.build();
}
