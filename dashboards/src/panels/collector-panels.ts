import * as units from '@grafana/grafana-foundation-sdk/units';
import { itemRate, lossRate } from '../collector-queries.ts';
import { RATE } from '../guard-queries.ts';
import { TELEMETRY } from '../panel-ids.ts';
import type { AnyPanel, PanelMaker } from './panel-maker.ts';

/** The Collector's own metrics. */
export const collectorPanels = (make: PanelMaker): readonly AnyPanel[] => [
  make.lines({
    id: TELEMETRY.received,
    title: 'Received',
    description: 'Items a second that the Collector took. Worry when it falls to nothing.',
    unit: units.CountsPerSecond,
    width: 8,
    queries: [
      { expr: itemRate('receiver_accepted', 'receiver, signal', RATE), legend: '{{receiver}} {{signal}}' },
    ],
    related: ['CollectorDown'],
    traces: false,
  }),
  make.lines({
    id: TELEMETRY.refused,
    title: 'Refused',
    description:
      'Items a second that it did not take, most likely for want of memory. Worry about any: services have to keep and repeat them.',
    unit: units.CountsPerSecond,
    width: 8,
    queries: [
      { expr: itemRate('receiver_refused', 'receiver, signal', RATE), legend: '{{receiver}} {{signal}}' },
    ],
    traces: false,
  }),
  make.lines({
    id: TELEMETRY.collectorMemory,
    title: 'Memory',
    description: 'What is resident. Worry above the line: its memory limiter refuses data soon.',
    unit: units.BytesIEC,
    width: 8,
    queries: [{ expr: 'max by (instance) (otelcol_process_memory_rss_bytes)', legend: '{{instance}}' }],
    traces: false,
  }),
  make.lines({
    id: TELEMETRY.sent,
    title: 'Delivered',
    description:
      'Items a second that Jaeger and Prometheus took. Worry when it stays below what was received.',
    unit: units.CountsPerSecond,
    width: 8,
    queries: [
      { expr: itemRate('exporter_sent', 'exporter, signal', RATE), legend: '{{exporter}} {{signal}}' },
    ],
    related: ['CollectorExportStalled'],
    traces: false,
  }),
  make.lines({
    id: TELEMETRY.failed,
    title: 'Lost on the way out',
    description:
      'Items a second that a backend refused for good, or that found the queue full; of the latter the sender is told. Worry about any.',
    unit: units.CountsPerSecond,
    width: 8,
    queries: [
      {
        expr: lossRate('refused', 'exporter, signal', RATE),
        legend: '{{exporter}} {{signal}} refused',
      },
      {
        expr: lossRate('queue_full', 'exporter, signal', RATE),
        legend: '{{exporter}} {{signal}} queue full',
      },
    ],
    traces: false,
  }),
  make.lines({
    id: TELEMETRY.queue,
    title: 'Queues in use',
    description: 'Items that wait on disk, of those that fit. Worry when it only grows: a backend is away.',
    unit: units.PercentUnit,
    width: 8,
    queries: [
      {
        expr: 'max by (exporter, data_type) (otelcol_exporter_queue_size / otelcol_exporter_queue_capacity)',
        legend: '{{exporter}} {{data_type}}',
      },
    ],
    max: 1,
    traces: false,
  }),
];
