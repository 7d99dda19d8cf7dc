import { ExportResultCode } from '@opentelemetry/core';
import type { ExportResult } from '@opentelemetry/core';
import type { TelemetryCounts } from '../counts.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { SignalJournal } from '../journal/index.ts';
import type { Signal } from '../semconv.ts';
import { warnAboutDisk } from '../warnings/disk-warning.ts';
import type { Warn } from '../warnings/warner.ts';

/** Where the batches of one signal go. An absent one is off. */
export interface ExporterSinks {
  readonly journal?: SignalJournal | undefined;
  readonly delivery?: Delivery | undefined;
  /** Takes whole lines for standard output. */
  readonly console?: ((line: string) => void) | undefined;
}

/** What a journal exporter is made of. */
export interface ExporterParts<T> extends ExporterSinks {
  readonly signal: Signal;
  readonly encode: (batch: T) => Uint8Array;
  /** Items in a batch: spans, points, records. */
  readonly size: (batch: T) => number;
  readonly counts: TelemetryCounts;
  readonly warn: Warn;
}

/**
 * The exporter of one signal. It encodes a batch once, appends it to the journal, hands it to the delivery, and acknowledges it before it returns.
 * The SDK's processor goes on with the next batch at once, so that no receiver and no disk can hold it up.
 *
 * It publishes no `otel.sdk.exporter.*` metrics: an export ends when the batch is on disk, so that these metrics would show everything as exported.
 */
export class JournalExporter<T> {
  readonly #parts: ExporterParts<T>;

  constructor(parts: ExporterParts<T>) {
    this.#parts = parts;
  }

  /** @param done called with success before `export` returns: a batch that cannot be written is counted, and the SDK has nothing to repeat */
  export(batch: T, done: (result: ExportResult) => void): void {
    const items = this.#parts.size(batch);
    const body = items === 0 ? undefined : this.#encode(batch, items);
    if (body) this.#take(body, items);
    done({ code: ExportResultCode.SUCCESS });
  }

  /** Does nothing: whoever made the journal and the delivery ends them. */
  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  /** Settles at once, since {@link export} holds nothing back. */
  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  /** @returns `undefined` for a batch that cannot be encoded; it is counted, and one warning says so */
  #encode(batch: T, items: number): Uint8Array | undefined {
    const { signal, encode, counts, warn } = this.#parts;
    try {
      return encode(batch);
    } catch (error) {
      counts.dropped(signal, 'encoding', items);
      const name = error instanceof Error ? error.name : typeof error;
      warn(
        `encoding:${signal}`,
        `A batch of ${signal} cannot be written as OTLP (${name}). It is lost and counted.`,
      );
      return undefined;
    }
  }

  #take(body: Uint8Array, items: number): void {
    const { signal, counts, warn, journal, delivery, console } = this.#parts;
    const outcome = journal?.append(body, items);
    if (outcome?.place) counts.written(signal, items);
    else if (outcome) {
      warnAboutDisk(warn, outcome.code, outcome.error);
      if (!delivery) counts.dropped(signal, 'disk', items);
    }
    console?.(`${Buffer.from(body).toString('utf8')}\n`);
    delivery?.accept(body, items, outcome?.place);
  }
}
