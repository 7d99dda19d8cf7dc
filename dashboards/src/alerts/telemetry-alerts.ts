import { type Alert, firing, named, noData, quiet } from '../alert.ts';
import { TELEMETRY } from '../panel-ids.ts';
import { FROM_SDK, LABEL, SERIES } from '../queries.ts';
import { OF_SERVICE } from '../rule-file.ts';
import type { Thresholds } from '../settings/thresholds.ts';
import { ofService, serviceFires } from './shop.ts';

const BY = `${LABEL.namespace}, ${LABEL.service}`;
const SERVICE = `{{ $labels.${LABEL.service} }}`;
const panel = (id: number): Alert['panel'] => ({ uid: TELEMETRY.uid, panel: id });

const info = named(SERIES.targetInfo, {
  [LABEL.service]: 'shop',
  job: 'shop',
  telemetry_sdk_name: 'opentelemetry',
});
const spanMetricsInfo = named(SERIES.targetInfo, { [LABEL.service]: 'shop', job: 'shop' });
const dropped = ofService(SERIES.telemetryDropped, {
  [LABEL.signal]: 'traces',
  [LABEL.reason]: 'queue_full',
});
const oldest = ofService(SERIES.telemetryOldestAge, { [LABEL.signal]: 'traces' });
const waits = { [LABEL.signal]: 'traces' };
const loss = { [LABEL.signal]: 'traces', [LABEL.reason]: 'queue_full' };

/** Alerts about the telemetry of the services. */
export function telemetryAlerts(thresholds: Thresholds): readonly Alert[] {
  const { ServiceTelemetryMissing, JournalBacklog, AppTelemetryDropped } = thresholds;
  return [
    {
      name: 'ServiceTelemetryMissing',
      severity: 'warning',
      expr: `count by (${BY}) (last_over_time(${FROM_SDK}[1h]))\nunless on (${BY}) count by (${BY}) (${FROM_SDK})`,
      timing: ServiceTelemetryMissing,
      summary: `${SERVICE} sends no telemetry any more`,
      description: `${SERVICE} sent metrics within the last hour, and has sent none for minutes: it is down, or cut off from the Collector. Its other alerts are blind.`,
      panel: panel(TELEMETRY.services),
      variables: OF_SERVICE,
      cases: [
        firing('silent for more than ten minutes', '16m', { [info]: '1x20 _x80' }, serviceFires()),
        firing(
          'silent, although its span metrics go on for a while',
          '16m',
          { [info]: '1x20 _x80', [spanMetricsInfo]: '1x100' },
          serviceFires(),
        ),
        quiet('it speaks', '20m', { [info]: '1x100' }),
        quiet('silent for a few minutes, as in a restart', '14m', { [info]: '1x20 _x20 1x60' }),
        quiet('gone for good: not told for ever', '70m', { [info]: '1x20 _x300' }),
        noData('no service has ever spoken'),
      ],
    },
    {
      name: 'JournalBacklog',
      severity: 'warning',
      expr: `max by (${BY}, ${LABEL.signal}) (${SERIES.telemetryOldestAge}) > ${JournalBacklog.seconds}`,
      timing: JournalBacklog,
      summary: `Telemetry of ${SERVICE} waits on disk`,
      description: `The oldest of its {{ $labels.${LABEL.signal} }} has waited for {{ $value | humanizeDuration }}: the Collector does not take it, or the backlog drains slowly. Nothing is lost before the journal reaches its caps.`,
      panel: panel(TELEMETRY.oldestAge),
      threshold: JournalBacklog.seconds,
      variables: OF_SERVICE,
      cases: [
        firing('for ten minutes and more', '15m', { [oldest]: '600+15x70' }, serviceFires('25m 0s', waits)),
        quiet('for a minute, as while it drains', '15m', { [oldest]: '60x70' }),
        quiet('nothing waits', '15m', { [oldest]: '0x70' }),
        noData('no service'),
      ],
    },
    {
      name: 'AppTelemetryDropped',
      severity: 'warning',
      expr: `sum by (${BY}, ${LABEL.signal}, ${LABEL.reason}) (increase(${SERIES.telemetryDropped}[10m])) > ${AppTelemetryDropped.items}`,
      timing: AppTelemetryDropped,
      summary: `${SERVICE} loses telemetry`,
      description: `{{ $value | humanize }} items of {{ $labels.${LABEL.signal} }} were lost in ten minutes, for the reason {{ $labels.${LABEL.reason} }}. What dashboards and traces show is less than what happened.`,
      panel: panel(TELEMETRY.dropped),
      variables: OF_SERVICE,
      cases: [
        firing('a full queue', '10m', { [dropped]: '0x20 40x40' }, serviceFires('40', loss)),
        quiet('none, and the counter is there from the start', '10m', { [dropped]: '0x60' }),
        quiet('some, an hour ago', '80m', { [dropped]: '0x20 40x400' }),
        noData('no service'),
      ],
    },
  ];
}

const alive =
  'Fires always. The receiver of the watchdog route raises the alarm when this stops coming: then Prometheus, Alertmanager or the way out is down.';

/** Fires always, so that its absence shows. */
export const watchdog: Alert = {
  name: 'Watchdog',
  severity: 'none',
  expr: 'vector(1)',
  timing: { for: '0s', keepFiringFor: '0s' },
  summary: 'The alert path works',
  description: alive,
  panel: panel(TELEMETRY.notifications),
  variables: {},
  cases: [
    firing('always', '1m', { [info]: '1x20' }, { labels: {} }),
    noData('fires without any data', { labels: {} }),
  ],
};
