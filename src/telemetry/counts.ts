import { SIGNALS } from './signal.ts';
import type { Signal } from './signal.ts';

/**
 * Why telemetry was lost.
 * - `queue_full`: more came than the queue in memory holds
 * - `unreachable`: no connection; `timeout`: no answer in time; `unavailable`: the receiver said later (429, 502, 503, 504)
 * - `rejected`: the receiver refused it for good
 * - `encoding`: it could not be written as OTLP
 * - `shutdown`: the process ended before it could be sent
 * - `disk`: it is missing from the files only
 */
export const DROP_REASONS = [
  'queue_full',
  'unreachable',
  'timeout',
  'unavailable',
  'rejected',
  'encoding',
  'shutdown',
  'disk',
] as const;

/** Why telemetry was lost; see {@link DROP_REASONS}. */
export type DropReason = (typeof DROP_REASONS)[number];

/** What became of the items (spans, metric points, log records) of one signal. */
export interface SignalStats {
  /** Taken by an OTLP receiver. */
  readonly exported: number;
  /** Written to the files. */
  readonly written: number;
  /** Lost, by reason. */
  readonly dropped: Readonly<Record<DropReason, number>>;
}

/** {@link SignalStats} for every signal. */
export type TelemetryStats = Readonly<Record<Signal, SignalStats>>;

interface Counters {
  exported: number;
  written: number;
  dropped: Record<DropReason, number>;
}

const noCounts = (): Counters => ({
  exported: 0,
  written: 0,
  dropped: {
    queue_full: 0,
    unreachable: 0,
    timeout: 0,
    unavailable: 0,
    rejected: 0,
    encoding: 0,
    shutdown: 0,
    disk: 0,
  },
});

/** Plain counters of what became of the telemetry. */
export class TelemetryCounts {
  readonly #counters: Record<Signal, Counters> = {
    traces: noCounts(),
    metrics: noCounts(),
    logs: noCounts(),
  };

  exported(signal: Signal, items: number): void {
    this.#counters[signal].exported += items;
  }

  written(signal: Signal, items: number): void {
    this.#counters[signal].written += items;
  }

  dropped(signal: Signal, reason: DropReason, items: number): void {
    this.#counters[signal].dropped[reason] += items;
  }

  /** A copy of the figures as they are now. */
  snapshot(): TelemetryStats {
    const copy = (signal: Signal): SignalStats => {
      const { exported, written, dropped } = this.#counters[signal];
      return { exported, written, dropped: { ...dropped } };
    };
    return { traces: copy('traces'), metrics: copy('metrics'), logs: copy('logs') };
  }

  /** Calls back for every signal and reason, at 0 too, so that each series exists from the start. */
  forEachDropped(callback: (signal: Signal, reason: DropReason, items: number) => void): void {
    for (const signal of SIGNALS) {
      for (const reason of DROP_REASONS) callback(signal, reason, this.#counters[signal].dropped[reason]);
    }
  }

  /** Calls back for every signal, at 0 too. */
  forEachExported(callback: (signal: Signal, items: number) => void): void {
    for (const signal of SIGNALS) callback(signal, this.#counters[signal].exported);
  }
}
