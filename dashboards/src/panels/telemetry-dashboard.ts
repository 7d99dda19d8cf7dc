import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Alert } from '../alert.ts';
import { RATE, SERVICE } from '../guard-queries.ts';
import { TELEMETRY } from '../panel-ids.ts';
import { LABEL, selector, SERIES } from '../queries.ts';
import type { Settings } from '../settings/settings.ts';
import { collectorPanels } from './collector-panels.ts';
import { dashboard, SERVICE_VARIABLE } from './dashboard-frame.ts';
import { type AnyPanel, PanelMaker, row } from './panel-maker.ts';
import { prometheusPanels } from './prometheus-panels.ts';

const waiting = (series: string): string =>
  `sum by (${LABEL.service}, ${LABEL.signal}) (${series}${selector(SERVICE)})`;
const counted = (series: string, ...by: readonly string[]): string =>
  `sum by (${[LABEL.service, ...by].join(', ')}) (rate(${series}${selector(SERVICE)}[${RATE}]))`;

/** What waits in the services, on disk or in memory. */
const journalPanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.lines({
    id: TELEMETRY.backlog,
    title: 'Telemetry that waits',
    description: 'Items and bytes that the Collector has not taken yet. Worry when it only grows.',
    unit: units.Short,
    width: 8,
    queries: [
      { expr: waiting(SERIES.telemetryBacklog), legend: `{{${LABEL.service}}} {{${LABEL.signal}}}` },
      {
        expr: waiting(SERIES.telemetryBacklogSize),
        legend: `{{${LABEL.service}}} {{${LABEL.signal}}} bytes`,
      },
    ],
    related: ['JournalBacklog'],
  }),
  make.lines({
    id: TELEMETRY.oldestAge,
    title: 'How long the oldest has waited',
    description: 'And how long ago the Collector took something. Worry above the line: it does not take it.',
    unit: units.Seconds,
    width: 8,
    queries: [
      {
        expr: `max by (${LABEL.service}, ${LABEL.signal}) (${SERIES.telemetryOldestAge}${selector(SERVICE)})`,
        legend: `{{${LABEL.service}}} {{${LABEL.signal}}}`,
      },
      {
        expr: `time() - max by (${LABEL.service}, ${LABEL.signal}) (${SERIES.telemetryLastSuccess}${selector(SERVICE)} > 0)`,
        legend: `{{${LABEL.service}}} {{${LABEL.signal}}} since the last that was taken`,
      },
    ],
  }),
  make.lines({
    id: TELEMETRY.drained,
    title: 'Backlog delivered, requests repeated',
    description:
      'Items a second that had waited on disk, and requests a second that were not taken. Worry when the second stays and the first does not come.',
    unit: units.CountsPerSecond,
    width: 8,
    queries: [
      {
        expr: counted(SERIES.telemetryDrained, LABEL.signal),
        legend: `{{${LABEL.service}}} {{${LABEL.signal}}} delivered`,
      },
      {
        expr: counted(SERIES.telemetryRetries, LABEL.signal),
        legend: `{{${LABEL.service}}} {{${LABEL.signal}}} repeated`,
      },
    ],
    related: ['JournalBacklog'],
  }),
];

const servicePanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.lines({
    id: TELEMETRY.services,
    title: 'Instances that send telemetry',
    description:
      'Processes heard of in the last five minutes. Worry when a service goes missing: every other panel of it is blind.',
    unit: units.Short,
    width: 8,
    queries: [
      {
        expr: `count by (${LABEL.service}) (${SERIES.targetInfo}${selector(SERVICE, 'telemetry_sdk_name!=""')})`,
        legend: `{{${LABEL.service}}}`,
      },
    ],
  }),
  make.lines({
    id: TELEMETRY.exported,
    title: 'Telemetry sent',
    description:
      'Spans, metric points and log records a second that the Collector took. Worry when one signal falls to nothing.',
    unit: units.CountsPerSecond,
    width: 8,
    queries: [
      {
        expr: counted(SERIES.telemetryExported, LABEL.signal),
        legend: `{{${LABEL.service}}} {{${LABEL.signal}}}`,
      },
    ],
    related: ['ServiceTelemetryMissing'],
  }),
  make.lines({
    id: TELEMETRY.dropped,
    title: 'Telemetry lost',
    description: 'By the reason. Worry about any: traces and panels show less than happened.',
    unit: units.CountsPerSecond,
    width: 8,
    queries: [
      {
        expr: counted(SERIES.telemetryDropped, LABEL.signal, LABEL.reason),
        legend: `{{${LABEL.service}}} {{${LABEL.signal}}}: {{${LABEL.reason}}}`,
      },
    ],
    noValue: 'none',
  }),
  ...journalPanels(make),
];

/** @returns the dashboard about the way of the telemetry itself */
export function telemetryDashboard(alerts: readonly Alert[], settings: Settings): Dashboard {
  const make = new PanelMaker(TELEMETRY.uid, alerts);
  return dashboard(
    {
      uid: TELEMETRY.uid,
      title: 'Keelson: telemetry pipeline',
      description: 'Whether telemetry arrives: services, Collector, Prometheus, Alertmanager.',
      variables: [SERVICE_VARIABLE],
      transitions: false,
      sections: [
        { head: row(TELEMETRY.serviceRow, 'Services'), panels: servicePanels(make) },
        { head: row(TELEMETRY.collectorRow, 'Collector'), panels: collectorPanels(make) },
        { head: row(TELEMETRY.prometheusRow, 'Prometheus and Alertmanager'), panels: prometheusPanels(make) },
      ],
    },
    settings,
  );
}
