import { context, ROOT_CONTEXT, TraceFlags } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import type { ExportResult } from '@opentelemetry/core';
import type { LogRecordProcessor, ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';

import type { Clock, Timer } from '../../core/clock.ts';
import type { BatchSettings } from '../environment/index.ts';

/** Where a {@link BatchQueue} puts its batches; it has to take them before `export` returns. */
export interface BatchExporter<T> {
  export(batch: T[], done: (result: ExportResult) => void): void;
  shutdown(): Promise<void>;
}

/** What a {@link BatchQueue} is made of. */
export interface BatchQueueOptions<T> {
  readonly exporter: BatchExporter<T>;
  readonly settings: BatchSettings;
  readonly clock: Clock;
  /** Takes the number of items that came after the end, or that the exporter threw at. */
  readonly onLost: (items: number) => void;
}

const untraced = suppressTracing(ROOT_CONTEXT);
const ignoreResult = (): void => {};

/**
 * Collects spans or log records, and hands them on as a batch when one is full or old enough.
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
  /** `direct`: each item is handed on as it comes; `closed`: there is nobody left who takes it. */
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

  /** Hands on what has been collected; nothing of it is here any more when this returns. */
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
   * The process ends: hands on what has been collected, and from now on each item as it comes. A process that outlives it, such as init of a
   * container after a signal, collects again after a while; one that ends has no turn of the event loop any more in which it could.
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
