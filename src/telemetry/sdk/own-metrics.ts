import type { Meter } from '@opentelemetry/api';
import { createObservable } from '../../signals/index.ts';
import * as names from '../../signals/semconv.ts';
import { DROP_REASONS } from '../counts.ts';
import type { SignalStats, TelemetryCounts } from '../counts.ts';
import { SIGNALS } from '../semconv.ts';

const FIGURES = new Map<names.MetricDefinition, (stats: SignalStats) => number>([
  [names.METRIC_TELEMETRY_EXPORTED, ({ exported }) => exported],
  [names.METRIC_TELEMETRY_DRAINED, ({ drained }) => drained],
  [names.METRIC_TELEMETRY_RETRIES, ({ retries }) => retries],
  [names.METRIC_TELEMETRY_BACKLOG, ({ backlog }) => backlog.items],
  [names.METRIC_TELEMETRY_BACKLOG_SIZE, ({ backlog }) => backlog.bytes],
  [names.METRIC_TELEMETRY_OLDEST_AGE, ({ backlog }) => backlog.oldestAge],
  [names.METRIC_TELEMETRY_LAST_SUCCESS, ({ lastSuccess }) => lastSuccess],
]);

/** Publishes the counts of the telemetry itself, for every signal and reason. Zeros are published too, so that each series exists from the start. */
export function publishOwnMetrics(meter: Meter, counts: TelemetryCounts): void {
  const figures = Array.from(FIGURES, ([definition, read]) => ({
    instrument: createObservable(meter, definition),
    read,
  }));
  const dropped = createObservable(meter, names.METRIC_TELEMETRY_DROPPED);
  meter.addBatchObservableCallback(
    (result) => {
      const stats = counts.snapshot();
      for (const signal of SIGNALS) {
        const attributes = { [names.ATTR_SIGNAL]: signal };
        for (const { instrument, read } of figures)
          result.observe(instrument, read(stats[signal]), attributes);
        for (const reason of DROP_REASONS) {
          result.observe(dropped, stats[signal].dropped[reason], {
            ...attributes,
            [names.ATTR_REASON]: reason,
          });
        }
      }
    },
    [...figures.map(({ instrument }) => instrument), dropped],
  );
}
