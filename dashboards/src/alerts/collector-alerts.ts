import { type Alert, firing, named, noData, quiet } from '../alert.ts';
import { itemRate, lossRate } from '../collector-queries.ts';
import { TELEMETRY } from '../panel-ids.ts';
import type { Thresholds } from '../settings/thresholds.ts';

const JOB = { job: 'otel-collector', instance: 'otel-collector:8888' };
const up = named('up', JOB);
const toJaeger = { ...JOB, exporter: 'otlp_grpc/jaeger' };
const queue = named('otelcol_exporter_queue_size', { ...toJaeger, data_type: 'traces' });
const capacity = named('otelcol_exporter_queue_capacity', { ...toJaeger, data_type: 'traces' });
const sent = named('otelcol_exporter_sent_spans_total', toJaeger);
const sendFailed = named('otelcol_exporter_send_failed_metric_points_total', {
  ...JOB,
  exporter: 'otlp_http/prometheus',
});
const metricCapacity = named('otelcol_exporter_queue_capacity', {
  ...JOB,
  exporter: 'otlp_http/prometheus',
  data_type: 'metrics',
});
const enqueueFailed = named('otelcol_exporter_enqueue_failed_spans_total', toJaeger);
const refused = (item: string): string =>
  named(`otelcol_receiver_refused_${item}_total`, { ...JOB, receiver: 'otlp' });
const memory = named('otelcol_process_memory_rss_bytes', JOB);

const panel = (id: number): Alert['panel'] => ({ uid: TELEMETRY.uid, panel: id });
const EXPORTER = '{{ $labels.exporter }}';

function exportAlerts(thresholds: Thresholds): readonly Alert[] {
  const {
    CollectorExportStalled: stalled,
    CollectorDroppingData: dropping,
    CollectorQueueAlmostFull: almostFull,
  } = thresholds;
  return [
    {
      name: 'CollectorExportStalled',
      severity: 'critical',
      expr:
        'min by (exporter) (min_over_time(otelcol_exporter_queue_size[2m])) > 0\n' +
        `unless on (exporter) ${itemRate('exporter_sent', 'exporter', '5m')} > 0`,
      timing: stalled,
      summary: `The Collector delivers nothing to ${EXPORTER}`,
      description: `Its queue holds {{ $value | humanize }} items, and nothing has left it for five minutes: the backend is away or refuses. The queue is on disk; when it is full, data is lost.`,
      panel: panel(TELEMETRY.queue),
      variables: {},
      cases: [
        firing(
          'Jaeger is away',
          '20m',
          { [queue]: '0x20 100+100x80', [sent]: '0+10x20 200x80' },
          { labels: { exporter: 'otlp_grpc/jaeger' }, value: '5.3k' },
        ),
        quiet('it delivers, and the queue is never empty', '20m', { [queue]: '50x90', [sent]: '0+10x90' }),
        quiet('nobody sends anything', '20m', { [queue]: '0x90', [sent]: '200x90' }),
        noData('no Collector'),
      ],
    },
    {
      name: 'CollectorDroppingData',
      severity: 'critical',
      expr: (['refused', 'queue_full'] as const)
        .map((reason) => `${lossRate(reason, 'exporter', '5m')} > ${dropping.rate}`)
        .join('\nor '),
      timing: dropping,
      summary: `The Collector loses data on its way to ${EXPORTER}`,
      description:
        '{{ $value | printf "%.1f" }} items a second are refused for good by the backend, or find the queue full.',
      panel: panel(TELEMETRY.failed),
      variables: {},
      cases: [
        firing(
          'the backend refuses',
          '10m',
          { [sendFailed]: '0+15x60' },
          { labels: { exporter: 'otlp_http/prometheus' }, value: '1.0' },
        ),
        firing(
          'the queue is full',
          '10m',
          { [enqueueFailed]: '0+30x60' },
          { labels: { exporter: 'otlp_grpc/jaeger' }, value: '2.0' },
        ),
        firing(
          'the first loss of a Collector that has run for long: its counter begins with it',
          '15m',
          { [metricCapacity]: '100000x70', [sendFailed]: '_x50 600x20' },
          { labels: { exporter: 'otlp_http/prometheus' }, value: '2.0' },
        ),
        firing(
          'what waited is lost before the first scrape after a restart',
          '15m',
          { [metricCapacity]: '100000x40 stale _x5 100000x24', [sendFailed]: '_x47 600x23' },
          { labels: { exporter: 'otlp_http/prometheus' }, value: '2.0' },
        ),
        quiet('it did, an hour ago', '80m', { [sendFailed]: '0+15x20 300x400' }),
        quiet('long ago, and now a scrape fails', '80m', {
          [metricCapacity]: '100000x300 stale 100000x20',
          [sendFailed]: '600x300 stale 600x20',
        }),
        quiet('long ago, and now it is restarted', '80m', {
          [metricCapacity]: '100000x300 stale 100000x20',
          [sendFailed]: '600x300 stale',
        }),
        noData('no Collector, or one that never failed'),
      ],
    },
    {
      name: 'CollectorQueueAlmostFull',
      severity: 'warning',
      expr: `max by (exporter, data_type) (otelcol_exporter_queue_size / otelcol_exporter_queue_capacity) > ${almostFull.ratio}`,
      timing: almostFull,
      summary: `The Collector’s queue for ${EXPORTER} is nearly full`,
      description: '{{ $value | humanizePercentage }} of it is used. What comes after it is full is lost.',
      panel: panel(TELEMETRY.queue),
      threshold: almostFull.ratio,
      variables: {},
      cases: [
        firing(
          'four fifths',
          '10m',
          { [queue]: '80000x60', [capacity]: '100000x60' },
          { labels: { exporter: 'otlp_grpc/jaeger', data_type: 'traces' }, value: '80%' },
        ),
        quiet('a tenth', '10m', { [queue]: '10000x60', [capacity]: '100000x60' }),
        noData('no Collector'),
      ],
    },
  ];
}

/** Alerts about the Collector. */
export function collectorAlerts(thresholds: Thresholds): readonly Alert[] {
  const { CollectorDown, CollectorRefusingData: refusing, CollectorMemoryHigh } = thresholds;
  const isDown = { labels: { job: 'otel-collector' } };
  return [
    {
      name: 'CollectorDown',
      severity: 'critical',
      expr: 'max by (job) (up{job="otel-collector"}) == 0 or absent(up{job="otel-collector"})',
      timing: CollectorDown,
      summary: 'The Collector is down',
      description:
        'Prometheus cannot reach it. Services keep their telemetry on disk and send it later; until then dashboards and alerts about them are blind.',
      panel: panel(TELEMETRY.targets),
      variables: {},
      cases: [
        firing('it does not answer', '10m', { [up]: '1x10 0x50' }, isDown),
        firing('nobody scrapes it any more', '30m', { [up]: '1x10 stale' }, isDown),
        quiet('a scrape that failed', '10m', { [up]: '1x10 0x3 1x50' }),
        noData('fires, since without a Collector there is no telemetry', isDown),
      ],
    },
    ...exportAlerts(thresholds),
    {
      name: 'CollectorRefusingData',
      severity: 'critical',
      expr: `${itemRate('receiver_refused', 'receiver', '5m')} > ${refusing.rate}`,
      timing: refusing,
      summary: 'The Collector refuses data',
      description:
        '{{ $value | printf "%.1f" }} items a second are refused, most likely by its memory limiter. Services keep them and try again.',
      panel: panel(TELEMETRY.refused),
      variables: {},
      cases: [
        firing(
          'one span and two points a second',
          '10m',
          { [refused('spans')]: '0+15x60', [refused('metric_points')]: '0+30x60' },
          { labels: { receiver: 'otlp' }, value: '3.0' },
        ),
        quiet('none', '10m', { [refused('spans')]: '0x60' }),
        noData('no Collector'),
      ],
    },
    {
      name: 'CollectorMemoryHigh',
      severity: 'warning',
      expr: `max by (instance) (otelcol_process_memory_rss_bytes) > ${CollectorMemoryHigh.bytes}`,
      timing: CollectorMemoryHigh,
      summary: 'The Collector’s memory is nearly used up',
      description:
        '{{ $value | humanize1024 }}B are resident. Its memory limiter refuses data before the limit of the container kills it.',
      panel: panel(TELEMETRY.collectorMemory),
      threshold: CollectorMemoryHigh.bytes,
      variables: {},
      cases: [
        firing(
          'just below the limit of its container',
          '15m',
          { [memory]: `${500 * 2 ** 20}x70` },
          { labels: { instance: 'otel-collector:8888' }, value: '500Mi' },
        ),
        quiet('as usual', '15m', { [memory]: `${90 * 2 ** 20}x70` }),
        noData('no Collector'),
      ],
    },
  ];
}
