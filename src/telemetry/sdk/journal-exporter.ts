import { ExportResultCode } from '@opentelemetry/core';
import type { ExportResult } from '@opentelemetry/core';
import { errorName } from '../../core/error-name.ts';
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
  /** Leaves out of a batch that cannot be encoded what cannot be encoded by itself. */
  readonly writable: (batch: T, encode: (batch: T) => Uint8Array) => T;
  readonly counts: TelemetryCounts;
  readonly warn: Warn;
}

/** A batch as OTLP JSON, and how many items the bytes hold. */
interface Encoded {
  readonly body: Uint8Array;
  readonly items: number;
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
    const encoded = this.#encode(batch, this.#parts.size(batch));
    if (encoded) this.#take(encoded.body, encoded.items);
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

  /** @returns `undefined` if nothing of the batch can be encoded, or there is nothing in it */
  #encode(batch: T, items: number): Encoded | undefined {
    if (items === 0) return undefined;
    try {
      return { body: this.#parts.encode(batch), items };
    } catch (error) {
      return this.#withoutUnwritable(batch, items, error);
    }
  }

  /** What cannot be encoded is counted and one warning names it. It does not take the others of its batch with it. */
  #withoutUnwritable(batch: T, items: number, cause: unknown): Encoded | undefined {
    const { signal, size, encode, writable, counts, warn } = this.#parts;
    let encoded: Encoded | undefined;
    try {
      const rest = writable(batch, encode);
      const kept = size(rest);
      if (kept > 0) encoded = { body: encode(rest), items: kept };
    } catch {
      // What keeps the batch from being written is in none of its items alone: all of it is lost.
    }
    const lost = items - (encoded?.items ?? 0);
    counts.dropped(signal, 'encoding', lost);
    warn(
      `encoding:${signal}`,
      `${lost} of ${items} ${signal} in a batch cannot be written as OTLP (${errorName(cause)}). They are lost and counted; the others go on.`,
    );
    return encoded;
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
