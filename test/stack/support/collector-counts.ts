/** What a Collector has counted about itself since its start, over all signals. */
export interface CollectorCounts {
  /** Items that receivers took. */
  readonly accepted: number;
  /** Items that receivers sent back, since the memory limiter or a full queue refused them. */
  readonly refused: number;
  /** Items that exporters gave up on. */
  readonly sendFailed: number;
  /** Items that did not fit into a sending queue. */
  readonly enqueueFailed: number;
  /** Items that exporters delivered. */
  readonly sent: number;
}

const COUNTERS: Readonly<Record<keyof CollectorCounts, RegExp>> = {
  accepted: /^otelcol_receiver_accepted_(?:spans|metric_points|log_records)_total\b/,
  refused: /^otelcol_(?:receiver|processor)_refused_(?:spans|metric_points|log_records)_total\b/,
  sendFailed: /^otelcol_exporter_send_failed_(?:spans|metric_points|log_records)_total\b/,
  enqueueFailed: /^otelcol_exporter_enqueue_failed_(?:spans|metric_points|log_records)_total\b/,
  sent: /^otelcol_exporter_sent_(?:spans|metric_points|log_records)_total\b/,
};

/**
 * @param page what the Collector's own metrics endpoint answers, in Prometheus' text format
 * @returns sums over every label; 0 for what has never happened
 */
export function collectorCounts(page: string): CollectorCounts {
  const lines = page.split('\n');
  const sum = (counter: RegExp): number =>
    lines
      .filter((line) => counter.test(line))
      .reduce((all, line) => all + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  return {
    accepted: sum(COUNTERS.accepted),
    refused: sum(COUNTERS.refused),
    sendFailed: sum(COUNTERS.sendFailed),
    enqueueFailed: sum(COUNTERS.enqueueFailed),
    sent: sum(COUNTERS.sent),
  };
}
