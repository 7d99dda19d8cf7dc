import {
  createOtlpNetworkExportDelegate,
  ExporterMetrics,
  OTLPExporterBase,
} from '@opentelemetry/otlp-exporter-base';
import type { ExportResponse, IExporterTransport } from '@opentelemetry/otlp-exporter-base';

import type { TelemetryCounts } from '../counts.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { warnAboutDisk } from '../warnings/disk-warning.ts';
import type { SignalJournal } from '../journal/index.ts';
import type { Signal } from '../semconv.ts';
import type { Warn } from '../warnings/warner.ts';

/** Where the batches of one signal go; what is absent is off. */
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

type Serializer<T> = Parameters<typeof createOtlpNetworkExportDelegate<T, object>>[1];

/** What the base calls an item. */
const METRIC_NAMES = { traces: 'span', metrics: 'metric_data_point', logs: 'log' } as const;

const NOTHING = new Uint8Array(0);
const ACKNOWLEDGED: ExportResponse = { status: 'success' };

/** Encodes batches as OTLP JSON and remembers how many items the bytes hold. What cannot be encoded is counted and said, never thrown. */
class CountingSerializer<T> implements Serializer<T> {
  readonly #parts: ExporterParts<T>;
  readonly #items: WeakMap<Uint8Array, number> = new WeakMap<Uint8Array, number>();

  constructor(parts: ExporterParts<T>) {
    this.#parts = parts;
  }

  serializeRequest(batch: T): Uint8Array {
    const { signal, size, encode, counts, warn } = this.#parts;
    const items = size(batch);
    if (items === 0) return NOTHING;
    try {
      const body = encode(batch);
      this.#items.set(body, items);
      return body;
    } catch (error) {
      counts.dropped(signal, 'encoding', items);
      const name = error instanceof Error ? error.name : typeof error;
      warn(
        `encoding:${signal}`,
        `A batch of ${signal} cannot be written as OTLP (${name}). It is lost and counted.`,
      );
      return NOTHING;
    }
  }

  /** The journal answers nothing that would have to be read. */
  deserializeResponse(): object {
    return {};
  }

  itemsOf(body: Uint8Array): number {
    return this.#items.get(body) ?? 0;
  }
}

/**
 * The transport that the SDK's exporter sees: appends a batch to the journal, hands it over to the delivery, and acknowledges it, all before it
 * returns. The processor goes on with the next batch, and nothing that is away can hold it.
 */
class JournalTransport<T> implements IExporterTransport {
  readonly #parts: ExporterParts<T>;
  readonly #serializer: CountingSerializer<T>;

  constructor(parts: ExporterParts<T>, serializer: CountingSerializer<T>) {
    this.#parts = parts;
    this.#serializer = serializer;
  }

  send(body: Uint8Array): Promise<ExportResponse> {
    const items = this.#serializer.itemsOf(body);
    if (items > 0) this.#take(body, items);
    return Promise.resolve(ACKNOWLEDGED);
  }

  shutdown(): void {
    // Whoever made the journal and the delivery ends them.
  }

  #take(body: Uint8Array, items: number): void {
    const { signal, counts, warn, journal, delivery } = this.#parts;
    const outcome = journal?.append(body, items);
    if (outcome?.place) counts.written(signal, items);
    else if (outcome) {
      warnAboutDisk(warn, outcome.code, outcome.error);
      if (!delivery) counts.dropped(signal, 'disk', items);
    }
    this.#parts.console?.(`${Buffer.from(body).toString('utf8')}\n`);
    delivery?.accept(body, items, outcome?.place);
  }
}

/**
 * The exporter of one signal, on the base that the SDK's OTLP exporters have.
 *
 * It publishes no `otel.sdk.exporter.*` metrics: an export ends when the batch is on disk, and those would tell that everything was exported.
 */
export class JournalExporter<T> extends OTLPExporterBase<T> {
  constructor(parts: ExporterParts<T>) {
    const serializer = new CountingSerializer(parts);
    const metrics = new ExporterMetrics<T>({
      componentType: 'keelson_journal_exporter',
      metricsHelper: { name: METRIC_NAMES[parts.signal], countItems: parts.size },
      url: undefined,
      meterProvider: undefined,
      responseAttributesFromError: () => ({}),
    });
    // At the end of the process everything is exported in one turn; a limit would lose what is above it.
    const options = { timeoutMillis: 1, concurrencyLimit: Infinity, compression: 'none' } as const;
    super(
      createOtlpNetworkExportDelegate(options, serializer, metrics, new JournalTransport(parts, serializer)),
    );
  }
}
