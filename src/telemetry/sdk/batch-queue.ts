import { context, ROOT_CONTEXT, TraceFlags } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import type { ExportResult } from '@opentelemetry/core';
import type { LogRecordProcessor, ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Clock, Timer } from '../../core/time/clock.ts';
import type { BatchSettings } from '../environment/index.ts';

/** Takes the batches of a {@link BatchQueue}, each before `export` returns. */
export interface BatchExporter<T> {
  export(batch: T[], done: (result: ExportResult) => void): void;
  shutdown(): Promise<void>;
}

/** What a {@link BatchQueue} is made of. */
export interface BatchQueueOptions<T> {
  readonly exporter: BatchExporter<T>;
  readonly settings: BatchSettings;
  readonly clock: Clock;
  /** Called with the number of items that came after the end, or at which the exporter threw. */
  readonly onLost: (items: number) => void;
}

const untraced = suppressTracing(ROOT_CONTEXT);
const ignoreResult = (): void => {};

/**
 * Collects spans or log records, and hands them to the exporter as a batch once it is full or old enough.
 *
 * The SDK's processors wait for each export, drop what a burst brings meanwhile, and flush log records a turn of the event loop later, which
 * `process.exit()` never reaches. Keelson's exporters take a batch at once, so that nothing here waits: a full batch goes on within the call that
 * filled it, and {@link drain} leaves nothing behind when it returns.
 */
export class BatchQueue<T> {
  readonly #options: BatchQueueOptions<T>;
  #items: T[] = [];
  #timer: Timer | undefined;
  #return: Timer | undefined;
  /** `direct`: each item goes on as it comes. `closed`: the exporter has ended, and items are lost. */
  #state: 'collecting' | 'direct' | 'closed' = 'collecting';

  constructor(options: BatchQueueOptions<T>) {
    this.#options = options;
  }

  add(item: T): void {
    if (this.#state === 'closed') {
      this.#options.onLost(1);
      return;
    }
    this.#items.push(item);
    const { maxExportBatchSize, scheduledDelayMillis } = this.#options.settings;
    if (this.#state === 'direct' || this.#items.length >= maxExportBatchSize) {
      this.drain();
      return;
    }
    if (this.#timer) return;
    this.#timer = this.#options.clock.setTimer(() => this.drain(), scheduledDelayMillis);
    this.#timer.unref();
  }

  /** Hands all collected items to the exporter before it returns. */
  drain(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const batch = this.#items;
    if (batch.length === 0) return;
    this.#items = [];
    try {
      context.with(untraced, () => this.#options.exporter.export(batch, ignoreResult));
    } catch {
      this.#options.onLost(batch.length);
    }
  }

  /**
   * The process ends: hands all collected items on, and from now on each item as it comes. If the process goes on after all, such as init of a
   * container after a signal, it collects batches again after a while. A process that ends has no further turn of the event loop for that.
   */
  drainForGood(): void {
    this.drain();
    if (this.#state === 'closed') return;
    this.#state = 'direct';
    this.#return ??= this.#options.clock.setTimer(() => {
      this.#return = undefined;
      if (this.#state === 'direct') this.#state = 'collecting';
    }, this.#options.settings.scheduledDelayMillis);
    this.#return.unref();
  }

  /** Does not wait for receivers: the provider's timer around it would keep the process alive for 30 s. `Telemetry.forceFlush` waits for them. */
  forceFlush(): Promise<void> {
    this.drain();
    return Promise.resolve();
  }

  async shutdown(): Promise<void> {
    this.drainForGood();
    try {
      await this.#options.exporter.shutdown();
    } finally {
      this.#return?.cancel();
      this.#state = 'closed';
    }
  }
}

/** A processor that puts the sampled spans into a queue. */
export function spanProcessor(queue: BatchQueue<ReadableSpan>): SpanProcessor {
  return {
    onStart() {},
    onEnd(span) {
      if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0) queue.add(span);
    },
    forceFlush: () => queue.forceFlush(),
    shutdown: () => queue.shutdown(),
  };
}

/** A processor that puts log records into a queue. */
export function logRecordProcessor(queue: BatchQueue<ReadableLogRecord>): LogRecordProcessor {
  return {
    onEmit: (record) => queue.add(record),
    forceFlush: () => queue.forceFlush(),
    shutdown: () => queue.shutdown(),
  };
}
