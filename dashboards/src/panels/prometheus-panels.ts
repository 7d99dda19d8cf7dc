import * as units from '@grafana/grafana-foundation-sdk/units';
import { RATE } from '../guard-queries.ts';
import { TELEMETRY } from '../panel-ids.ts';
import type { AnyPanel, PanelMaker } from './panel-maker.ts';

/** Prometheus and Alertmanager about themselves. */
export const prometheusPanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.lines({
    id: TELEMETRY.targets,
    title: 'Scraped targets that answer',
    description: 'Collector, Prometheus, Alertmanager, Grafana: 1 is up. Worry about 0.',
    unit: units.Short,
    width: 8,
    queries: [{ expr: 'max by (job) (up)', legend: '{{job}}' }],
    traces: false,
  }),
  make.lines({
    id: TELEMETRY.ruleDuration,
    title: 'Time for the rules, of their interval',
    description:
      'How long an evaluation takes of the time until the next. Worry near 100 %: alerts come late.',
    unit: units.PercentUnit,
    width: 8,
    queries: [
      {
        expr: 'max by (rule_group) (prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds)',
        legend: '{{rule_group}}',
      },
    ],
    traces: false,
  }),
  make.lines({
    id: TELEMETRY.ruleFailures,
    title: 'Rules that failed',
    description: 'Evaluations a second that ended in an error. Worry about any: their alerts cannot fire.',
    unit: units.CountsPerSecond,
    width: 8,
    queries: [
      {
        expr: `sum by (rule_group) (rate(prometheus_rule_evaluation_failures_total[${RATE}]))`,
        legend: '{{rule_group}}',
      },
    ],
    traces: false,
  }),
  make.lines({
    id: TELEMETRY.notifications,
    title: 'Alerts on their way',
    description:
      'Alerts a second that Prometheus hands to Alertmanager, and notifications that leave it. Worry when the first stops: the watchdog always fires.',
    unit: units.CountsPerSecond,
    width: 6,
    queries: [
      { expr: `sum(rate(prometheus_notifications_sent_total[${RATE}]))`, legend: 'to Alertmanager' },
      {
        expr: `sum by (integration) (rate(alertmanager_notifications_total[${RATE}])) > 0`,
        legend: 'by {{integration}}',
      },
    ],
    traces: false,
  }),
  make.lines({
    id: TELEMETRY.notificationsFailed,
    title: 'Notifications that failed',
    description: 'By the way they took and the reason. Worry about any: somebody is not told of something.',
    unit: units.CountsPerSecond,
    width: 6,
    queries: [
      {
        expr: `sum by (integration, reason) (rate(alertmanager_notifications_failed_total[${RATE}])) > 0`,
        legend: '{{integration}}: {{reason}}',
      },
    ],
    noValue: 'none',
    traces: false,
  }),
  make.lines({
    id: TELEMETRY.rejectedSamples,
    title: 'Metrics refused',
    description:
      'Samples a second that are too old for Prometheus, and requests a second that it answered with an error: a clock is ahead, or as before. Worry about any: a part of the metrics is lost.',
    unit: units.CountsPerSecond,
    width: 6,
    queries: [
      { expr: `sum(rate(prometheus_tsdb_too_old_samples_total[${RATE}]))`, legend: 'samples too old' },
      {
        expr: `sum by (code) (rate(prometheus_http_requests_total{handler="/api/v1/otlp/v1/metrics", code!~"2.."}[${RATE}]))`,
        legend: 'requests answered with {{code}}',
      },
    ],
    traces: false,
  }),
  make.lines({
    id: TELEMETRY.headSeries,
    title: 'Series held',
    description:
      'Series that Prometheus keeps in memory. Worry when it grows without end: a label has too many values.',
    unit: units.Short,
    width: 6,
    queries: [{ expr: 'max(prometheus_tsdb_head_series)', legend: 'series' }],
    traces: false,
  }),
];
