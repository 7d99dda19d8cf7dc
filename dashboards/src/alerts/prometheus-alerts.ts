import { type Alert, firing, named, noData, quiet } from '../alert.ts';
import { TELEMETRY } from '../panel-ids.ts';
import type { Thresholds } from '../settings/thresholds.ts';

const PROMETHEUS = { job: 'prometheus', instance: 'localhost:9090' };
const ALERTMANAGER = { job: 'alertmanager', instance: 'alertmanager:9093' };
const panel = (id: number): Alert['panel'] => ({ uid: TELEMETRY.uid, panel: id });

const reload = named('prometheus_config_last_reload_successful', PROMETHEUS);
const alertmanagerReload = named('alertmanager_config_last_reload_successful', ALERTMANAGER);
const group = { ...PROMETHEUS, rule_group: 'keelson-guards' };
const failures = named('prometheus_rule_evaluation_failures_total', group);
const duration = named('prometheus_rule_group_last_duration_seconds', group);
const interval = named('prometheus_rule_group_interval_seconds', group);
const discovered = named('prometheus_notifications_alertmanagers_discovered', PROMETHEUS);
const tooOld = named('prometheus_tsdb_too_old_samples_total', PROMETHEUS);
const webhook = { ...ALERTMANAGER, integration: 'webhook' };
const notified = named('alertmanager_notifications_total', webhook);
const notNotified = named('alertmanager_notifications_failed_total', { ...webhook, reason: 'serverError' });

const ofPrometheus = { labels: PROMETHEUS };

function ruleAlerts(thresholds: Thresholds): readonly Alert[] {
  const { PrometheusRuleFailures: failing, PrometheusRulesSlow: slow } = thresholds;
  const labels = { rule_group: 'keelson-guards' };
  return [
    {
      name: 'PrometheusRuleFailures',
      severity: 'critical',
      expr: `sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[5m])) > ${failing.failures}`,
      timing: failing,
      summary: 'Prometheus cannot evaluate rules',
      description:
        '{{ $value | humanize }} evaluations of {{ $labels.rule_group }} failed in five minutes: its alerts cannot fire.',
      panel: panel(TELEMETRY.ruleFailures),
      variables: {},
      cases: [
        firing('at every evaluation', '15m', { [failures]: '0+1x70' }, { labels, value: '20' }),
        quiet('none', '15m', { [failures]: '0x70' }),
        noData('no Prometheus that scrapes itself'),
      ],
    },
    {
      name: 'PrometheusRulesSlow',
      severity: 'warning',
      expr: `max by (rule_group) (prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds) > ${slow.ratio}`,
      timing: slow,
      summary: 'Prometheus takes too long for its rules',
      description:
        'An evaluation of {{ $labels.rule_group }} takes {{ $value | humanizePercentage }} of the time until the next: soon it misses some, and alerts come late.',
      panel: panel(TELEMETRY.ruleDuration),
      variables: {},
      cases: [
        firing(
          'nearly the whole interval',
          '15m',
          { [duration]: '13.5x70', [interval]: '15x70' },
          { labels, value: '90%' },
        ),
        quiet('a moment', '15m', { [duration]: '0.1x70', [interval]: '15x70' }),
        noData('no Prometheus that scrapes itself'),
      ],
    },
  ];
}

/** Alerts about Prometheus, Alertmanager, and whatever else Prometheus scrapes. */
export function prometheusAlerts(thresholds: Thresholds): readonly Alert[] {
  const {
    TargetDown,
    ConfigReloadFailed,
    PrometheusNotConnectedToAlertmanager: notConnected,
    PrometheusRejectingSamples: rejecting,
    AlertmanagerNotificationsFailing: notifying,
  } = thresholds;
  return [
    {
      name: 'TargetDown',
      severity: 'warning',
      expr: 'max by (job) (up{job!="otel-collector"}) == 0',
      timing: TargetDown,
      summary: '{{ $labels.job }} is down',
      description: 'Prometheus cannot scrape {{ $labels.job }}.',
      panel: panel(TELEMETRY.targets),
      variables: {},
      cases: [
        firing(
          'Alertmanager does not answer',
          '10m',
          { [named('up', ALERTMANAGER)]: '1x10 0x50' },
          { labels: { job: 'alertmanager' } },
        ),
        quiet('a scrape that failed', '10m', { [named('up', ALERTMANAGER)]: '1x10 0x3 1x50' }),
        quiet('the Collector has an alert of its own', '10m', {
          [named('up', { job: 'otel-collector', instance: 'a' })]: '0x60',
        }),
        noData('nothing is scraped'),
      ],
    },
    {
      name: 'ConfigReloadFailed',
      severity: 'warning',
      expr: 'prometheus_config_last_reload_successful == 0 or alertmanager_config_last_reload_successful == 0',
      timing: ConfigReloadFailed,
      summary: '{{ $labels.job }} runs with an old configuration',
      description:
        'The file on disk is wrong; {{ $labels.job }} goes on with the one before, and will not start with this one.',
      panel: panel(TELEMETRY.targets),
      variables: {},
      cases: [
        firing('of Prometheus', '15m', { [reload]: '1x10 0x60' }, ofPrometheus),
        firing('of Alertmanager', '15m', { [alertmanagerReload]: '1x10 0x60' }, { labels: ALERTMANAGER }),
        quiet('all is well', '15m', { [reload]: '1x70', [alertmanagerReload]: '1x70' }),
        noData('nothing is scraped'),
      ],
    },
    ...ruleAlerts(thresholds),
    {
      name: 'PrometheusNotConnectedToAlertmanager',
      severity: 'critical',
      expr: 'max_over_time(prometheus_notifications_alertmanagers_discovered[5m]) < 1',
      timing: notConnected,
      summary: 'Prometheus knows no Alertmanager',
      description:
        'Alerts fire and nobody is told. That this reaches you means that another way is left; the watchdog has stopped.',
      panel: panel(TELEMETRY.notifications),
      variables: {},
      cases: [
        firing('none for a quarter of an hour', '16m', { [discovered]: '0x70' }, ofPrometheus),
        quiet('one', '16m', { [discovered]: '1x70' }),
        noData('no Prometheus that scrapes itself'),
      ],
    },
    {
      name: 'PrometheusRejectingSamples',
      severity: 'warning',
      expr: `increase(prometheus_tsdb_too_old_samples_total[10m]) > ${rejecting.samples}`,
      timing: rejecting,
      summary: 'Prometheus refuses samples that come too late',
      description:
        '{{ $value | humanize }} samples in ten minutes were older than its out-of-order window: a queue drains after a long outage, or a clock is slow.',
      panel: panel(TELEMETRY.rejectedSamples),
      variables: {},
      cases: [
        firing(
          'of a long outage',
          '15m',
          { [`${tooOld.slice(0, -1)},type="float"}`]: '0x20 100+10x50' },
          {
            labels: { ...PROMETHEUS, type: 'float' },
            value: '400',
          },
        ),
        quiet('none', '15m', { [tooOld]: '0x70' }),
        noData('no Prometheus that scrapes itself'),
      ],
    },
    {
      name: 'AlertmanagerNotificationsFailing',
      severity: 'critical',
      expr:
        'sum by (integration) (rate(alertmanager_notifications_failed_total[15m]))\n' +
        `/ sum by (integration) (rate(alertmanager_notifications_total[15m])) > ${notifying.ratio}`,
      timing: notifying,
      summary: 'Notifications by {{ $labels.integration }} do not get through',
      description:
        '{{ $value | humanizePercentage }} of them failed in fifteen minutes. Somebody is not told of something.',
      panel: panel(TELEMETRY.notificationsFailed),
      variables: {},
      cases: [
        firing(
          'half of them',
          '30m',
          { [notified]: '0+2x130', [notNotified]: '0+1x130' },
          { labels: { integration: 'webhook' }, value: '50%' },
        ),
        quiet('none of them', '30m', { [notified]: '0+2x130', [notNotified]: '0x130' }),
        quiet('nothing to tell', '30m', { [notified]: '0x130', [notNotified]: '0x130' }),
        noData('no Alertmanager'),
      ],
    },
  ];
}
