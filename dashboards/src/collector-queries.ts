import type { Recording } from './rule-file.ts';

const ITEMS: Readonly<Record<string, string>> = {
  traces: 'spans',
  metrics: 'metric_points',
  logs: 'log_records',
};

/**
 * The rate of one of the Collector's counters over all signals. It has a counter for each signal, and without their names their series
 * would be the same: hence a label.
 *
 * @param what `receiver_accepted`, `exporter_sent`, ...
 * @param by what to keep beside the signal
 * @param window range of the rate
 */
export function itemRate(what: string, by: string, window: string): string {
  return `sum by (${by}) (${ofEachSignal((item) => `rate(otelcol_${what}_${item}_total[${window}])`)})`;
}

function ofEachSignal(query: (item: string) => string): string {
  return Object.entries(ITEMS)
    .map(([signal, item]) => `label_replace(${query(item)}, "signal", "${signal}", "", "")`)
    .join(' or ');
}

/** Items that did not get out of the Collector, counted from 0 on. */
const LOST = 'collector:lost_items:total';

/** Why they did not: the backend refused them for good, or the queue was full. */
export type LossReason = 'refused' | 'queue_full';

const COUNTERS: Readonly<Record<LossReason, string>> = {
  refused: 'exporter_send_failed',
  queue_full: 'exporter_enqueue_failed',
};

/**
 * The Collector makes these counters with the first loss, and a rate sees nothing of the value that a counter is born with. Here each exporter
 * has its count at 0 before. What was last seen stands for an hour, so that neither a scrape that fails nor a restart looks like a new count.
 */
export const COLLECTOR_LOSSES: readonly Recording[] = Object.entries(COUNTERS).map(([reason, counter]) => {
  const by = 'sum by (job, instance, exporter, signal)';
  const counted = ofEachSignal((item) => `last_over_time(otelcol_${counter}_${item}_total[1h])`);
  const none =
    'label_replace(0 * last_over_time(otelcol_exporter_queue_capacity[1h]), "signal", "$1", "data_type", "(.*)")';
  return { record: LOST, expr: `${by} (${counted})\nor ${by} (${none})`, labels: { reason } };
});

/**
 * @param reason why
 * @param by what to keep
 * @param window range of the rate
 * @returns items a second that did not get out of the Collector
 */
export function lossRate(reason: LossReason, by: string, window: string): string {
  return `sum by (${by}) (rate(${LOST}{reason="${reason}"}[${window}]))`;
}
