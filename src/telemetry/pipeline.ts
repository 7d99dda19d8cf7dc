import { ExportResultCode } from '@opentelemetry/core';
import type { ExportResult } from '@opentelemetry/core';

import { KeelsonError } from '../core/errors.ts';
import type { JsonLinesWriter } from '../storage/index.ts';
import type { TelemetryCounts } from './counts.ts';
import type { DeliveryLane } from './delivery-lane.ts';
import type { Signal } from './signal.ts';
import type { Warn } from './warner.ts';

/** Where the batches of one signal go; what is absent is off. */
export interface PipelineSinks {
  readonly file?: JsonLinesWriter | undefined;
  readonly lane?: DeliveryLane | undefined;
  /** Takes whole lines for standard output. */
  readonly console?: ((line: string) => void) | undefined;
}

/** What a {@link PipelineExporter} is made of. */
export interface PipelineOptions<T> extends PipelineSinks {
  readonly signal: Signal;
  readonly encode: (batch: T) => Uint8Array;
  /** Items in a batch: spans, points, records. */
  readonly size: (batch: T) => number;
  readonly counts: TelemetryCounts;
  readonly warn: Warn;
}

/**
 * The exporter that the SDK's processors and readers see: encodes a batch once, appends it to the file, hands it to the lane, and says yes at
 * once. The processor goes on with the next batch, and nothing that is away can hold it.
 */
export class PipelineExporter<T> {
  readonly #options: PipelineOptions<T>;

  constructor(options: PipelineOptions<T>) {
    this.#options = options;
  }

  export(batch: T, done: (result: ExportResult) => void): void {
    this.#accept(batch);
    done({ code: ExportResultCode.SUCCESS });
  }

  /** Sends what waits; see {@link DeliveryLane.flush}. */
  async forceFlush(): Promise<void> {
    await this.#options.lane?.flush();
  }

  async shutdown(): Promise<void> {
    await this.#options.lane?.flush();
  }

  #accept(batch: T): void {
    const { signal, size, encode, counts, warn, file, lane } = this.#options;
    const items = size(batch);
    if (items === 0) return;
    let body: Uint8Array;
    try {
      body = encode(batch);
    } catch (error) {
      counts.dropped(signal, 'encoding', items);
      const name = error instanceof Error ? error.name : typeof error;
      warn(
        `encoding:${signal}`,
        `A batch of ${signal} cannot be written as OTLP (${name}). It is lost and counted.`,
      );
      return;
    }
    if (file) this.#append(file, body, items);
    this.#options.console?.(`${Buffer.from(body).toString('utf8')}\n`);
    lane?.enqueue(body, items);
  }

  #append(file: JsonLinesWriter, body: Uint8Array, items: number): void {
    const { signal, counts, warn } = this.#options;
    const result = file.append([body]);
    if (result.written) {
      counts.written(signal, items);
      return;
    }
    counts.dropped(signal, 'disk', items);
    warnAboutDisk(warn, result.code, result.error);
  }
}

/**
 * Says once for each kind of trouble that the disk does not take what it should.
 * @param code the system's or Keelson's error code, such as `ENOSPC`
 * @param error what was thrown, where it is known
 */
export function warnAboutDisk(warn: Warn, code: string, error: unknown): void {
  const why = error instanceof KeelsonError ? `${error.message} ${error.hint ?? ''}`.trim() : `${code}.`;
  warn(
    `disk:${code}`,
    `Nothing can be written below KEELSON_HOME: ${why} What is missing there is counted in keelson.telemetry.dropped (reason disk); OTLP and Prometheus go on.`,
  );
}
