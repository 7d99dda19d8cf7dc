import type { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { RATE, SERVICE } from './guard-queries.ts';
import { PANEL } from './panel-ids.ts';
import { lines } from './panels.ts';
import { LABEL, selector, SERIES } from './queries.ts';

const byService = `sum by (${LABEL.service}, ${LABEL.signal}`;

/** Whether telemetry itself arrives. */
export const telemetryPanels: readonly PanelBuilder[] = [
  lines({
    id: PANEL.services,
    title: 'Instances that send telemetry',
    description:
      'Processes heard of in the last five minutes. Worry when a service goes missing: every other panel of it is blind. Alerts: ServiceTelemetryMissing; Watchdog when the alert path itself is down.',
    unit: units.Short,
    width: 12,
    queries: [
      {
        expr: `count by (${LABEL.service}) (${SERIES.targetInfo}${selector(SERVICE, 'telemetry_sdk_name!=""')})`,
        legend: `{{${LABEL.service}}}`,
      },
    ],
  }),
  lines({
    id: PANEL.telemetryDropped,
    title: 'Telemetry sent and lost',
    description:
      'Spans, metric points and log records a second. Worry when anything is lost: the panels above show less than happened. Alert: ServiceTelemetryMissing when all of it stops.',
    unit: units.CountsPerSecond,
    width: 12,
    queries: [
      {
        expr: `${byService}) (rate(${SERIES.telemetryExported}${selector(SERVICE)}[${RATE}]))`,
        legend: `{{${LABEL.service}}} {{${LABEL.signal}}} sent`,
      },
      {
        expr: `${byService}, ${LABEL.reason}) (rate(${SERIES.telemetryDropped}${selector(SERVICE)}[${RATE}]))`,
        legend: `{{${LABEL.service}}} {{${LABEL.signal}}} lost: {{${LABEL.reason}}}`,
      },
    ],
    noValue: 'none',
  }),
];
