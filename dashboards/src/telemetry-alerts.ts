import type { Alert } from './alert.ts';
import { PANEL } from './panel-ids.ts';
import { LABEL, selector, SERIES } from './queries.ts';

const SERVICE = [LABEL.namespace, LABEL.service];
const BY = SERVICE.join(', ');

/** Written by an SDK; the Collector's span metrics have a `target_info` too, which lives on after the service. */
const fromSdk = `${SERIES.targetInfo}${selector('telemetry_sdk_name!=""')}`;
const info = `${SERIES.targetInfo}${selector(`${LABEL.service}="shop"`, 'job="shop"', 'telemetry_sdk_name="opentelemetry"')}`;
const spanMetricsInfo = `${SERIES.targetInfo}${selector(`${LABEL.service}="shop"`, 'job="shop"')}`;

const missing = {
  labels: { [LABEL.service]: 'shop', severity: 'warning' },
  summary: 'shop sends no telemetry any more',
  description:
    'shop sent metrics within the last hour, and has sent none for more than ten minutes: it is down, or cut off from the Collector. Its other alerts are blind.',
};

/** A service that was heard of within the hour has fallen silent. */
export const serviceTelemetryMissing: Alert = {
  name: 'ServiceTelemetryMissing',
  severity: 'warning',
  expr: `count by (${BY}) (last_over_time(${fromSdk}[1h]))\nunless on (${BY}) count by (${BY}) (${fromSdk})`,
  for: '5m',
  summary: `{{ $labels.${LABEL.service} }} sends no telemetry any more`,
  description: `{{ $labels.${LABEL.service} }} sent metrics within the last hour, and has sent none for more than ten minutes: it is down, or cut off from the Collector. Its other alerts are blind.`,
  panel: PANEL.services,
  variables: { service: `{{ $labels.${LABEL.service} }}` },
  cases: [
    {
      kind: 'firing',
      title: 'silent for more than ten minutes',
      series: { [info]: '1x20 _x80' },
      at: '16m',
      alerts: [missing],
    },
    {
      kind: 'firing',
      title: 'silent, although its span metrics go on for a while',
      series: { [info]: '1x20 _x80', [spanMetricsInfo]: '1x100' },
      at: '16m',
      alerts: [missing],
    },
    { kind: 'not firing', title: 'it speaks', series: { [info]: '1x100' }, at: '20m', alerts: [] },
    {
      kind: 'not firing',
      title: 'silent for a few minutes, as in a restart',
      series: { [info]: '1x20 _x20 1x60' },
      at: '14m',
      alerts: [],
    },
    {
      kind: 'not firing',
      title: 'gone for good: not told for ever',
      series: { [info]: '1x20 _x300' },
      at: '70m',
      alerts: [],
    },
    { kind: 'no data', title: 'no service has ever spoken', series: {}, at: '16m', alerts: [] },
  ],
};

const alive = {
  labels: { severity: 'none' },
  summary: 'The alert path works',
  description:
    'Fires always. The receiver of the watchdog route raises the alarm when this stops coming: then Prometheus, Alertmanager or the way out is down.',
};

/** Fires always, so that its absence shows. */
export const watchdog: Alert = {
  name: 'Watchdog',
  severity: 'none',
  expr: 'vector(1)',
  summary: alive.summary,
  description: alive.description,
  panel: PANEL.services,
  variables: {},
  cases: [
    { kind: 'firing', title: 'always', series: { [info]: '1x20' }, at: '1m', alerts: [alive] },
    { kind: 'no data', title: 'fires without any data', series: {}, at: '1m', alerts: [alive] },
  ],
};
