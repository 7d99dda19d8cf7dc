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
  const each = Object.entries(ITEMS).map(
    ([signal, item]) =>
      `label_replace(rate(otelcol_${what}_${item}_total[${window}]), "signal", "${signal}", "", "")`,
  );
  return `sum by (${by}) (${each.join(' or ')})`;
}
