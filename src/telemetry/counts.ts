import type { Signal } from './semconv.ts';

/**
 * Why telemetry was lost.
 * - `queue_full`: more items came at once than a queue in memory holds
 * - `rejected`: the receiver refused them for good
 * - `too_large`: the receiver refused a batch of a single item as too large
 * - `encoding`: the items could not be written as OTLP
 * - `damaged`: a line of the journal is not what was written
 * - `evicted`: the journal was full
 * - `expired`: the items had waited for 7 days
 * - `disk`: the disk did not take the items, or lost them, and memory was full too
 * - `shutdown`: the process ended before the items could be sent, and they were on no disk
 */
export const DROP_REASONS = [
  'queue_full',
  'rejected',
  'too_large',
  'encoding',
  'damaged',
  'evicted',
  'expired',
  'disk',
  'shutdown',
] as const;

/** Why telemetry was lost; see {@link DROP_REASONS}. */
export type DropReason = (typeof DROP_REASONS)[number];

/** How much waits for a receiver, on disk and in memory. */
export interface BacklogStats {
  /** Spans, metric points or log records. */
  readonly items: number;
  readonly bytes: number;
  /** The age of the oldest item in seconds; 0 if nothing waits. */
  readonly oldestAge: number;
}

/** What became of the items (spans, metric points, log records) of one signal, since the start of the telemetry. */
export interface SignalStats {
  /** Items that an OTLP receiver took. */
  readonly exported: number;
  /** The part of `exported` that came from the backlog on disk. */
  readonly drained: number;
  /** Items that were written to the files. */
  readonly written: number;
  /** Requests that a receiver did not take and that are sent again. */
  readonly retries: number;
  /** When a receiver last took something, in seconds since 1970; 0 if never. */
  readonly lastSuccess: number;
  /** Items that are not delivered yet. They are not lost. */
  readonly backlog: BacklogStats;
  /** Lost items, by reason. */
  readonly dropped: Readonly<Record<DropReason, number>>;
}

/** What the logger lost. The log records of its lines count as items of the signal `logs`. */
export interface LoggerStats {
  /** Lines that are missing from the daily files. */
  readonly lost: number;
  /** How often a line, or handing it on, threw. The caller of the logger noticed nothing. */
  readonly failures: number;
}

/** The statistics of every signal and of the logger. */
export type TelemetryStats = Readonly<Record<Signal, SignalStats>> & { readonly logger: LoggerStats };

interface Counters {
  exported: number;
  drained: number;
  written: number;
  retries: number;
  lastSuccess: number;
  readonly dropped: Record<DropReason, number>;
}

const NOTHING_WAITS: BacklogStats = { items: 0, bytes: 0, oldestAge: 0 };
const MS_PER_SECOND = 1_000;

const noCounts = (): Counters => ({
  exported: 0,
  drained: 0,
  written: 0,
  retries: 0,
  lastSuccess: 0,
  dropped: {
    queue_full: 0,
    rejected: 0,
    too_large: 0,
    encoding: 0,
    damaged: 0,
    evicted: 0,
    expired: 0,
    disk: 0,
    shutdown: 0,
  },
});

/** Plain counters of what became of the telemetry. */
export class TelemetryCounts {
  readonly #counters: Record<Signal, Counters> = {
    traces: noCounts(),
    metrics: noCounts(),
    logs: noCounts(),
  };
  #backlogOf: (signal: Signal) => BacklogStats = () => NOTHING_WAITS;

  /** Says who knows what waits. */
  readBacklogFrom(backlogOf: (signal: Signal) => BacklogStats): void {
    this.#backlogOf = backlogOf;
  }

  /** @param epochMs when, in milliseconds since 1970 */
  exported(signal: Signal, items: number, epochMs: number): void {
    this.#counters[signal].exported += items;
    this.#counters[signal].lastSuccess = epochMs / MS_PER_SECOND;
  }

  drained(signal: Signal, items: number): void {
    this.#counters[signal].drained += items;
  }

  written(signal: Signal, items: number): void {
    this.#counters[signal].written += items;
  }

  retried(signal: Signal): void {
    this.#counters[signal].retries += 1;
  }

  dropped(signal: Signal, reason: DropReason, items: number): void {
    this.#counters[signal].dropped[reason] += items;
  }

  /** A copy of the figures as they are now. */
  snapshot(): Readonly<Record<Signal, SignalStats>> {
    const copy = (signal: Signal): SignalStats => ({
      ...this.#counters[signal],
      backlog: this.#backlogOf(signal),
      dropped: { ...this.#counters[signal].dropped },
    });
    return { traces: copy('traces'), metrics: copy('metrics'), logs: copy('logs') };
  }
}
