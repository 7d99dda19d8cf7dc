import type { Attributes, Histogram, Meter, MeterProvider } from '@opentelemetry/api';
import { createNoopMeter, metrics } from '@opentelemetry/api';
import { bindWithSignals } from './instances.ts';
import type { MetricRow, Reader } from './metric-readers.ts';
import { readAt } from './metric-readers.ts';
import type { MetricDefinition } from './semconv.ts';
import { SCOPE_NAME } from './semconv.ts';

/** What a {@link MetricTable} publishes, and where. */
export interface MetricTableOptions<S> {
  /** Counters, gauges and up-down counters, which are read when somebody collects. */
  readonly rows: readonly MetricRow<S>[];
  /**
   * The name of a source. Sources of one name are one to whoever looks at the metrics: what they count adds up, and of their states that of
   * the newest shows. @defaultValue each source is like no other
   */
  readonly nameOf?: (source: S) => string;
  /** The histograms that are recorded for a source. @defaultValue none */
  readonly histogramsOf?: (source: S) => readonly MetricDefinition[];
  /** Attributes of every value of a source. @defaultValue none */
  readonly attributesOf?: (source: S) => Attributes;
  /** The provider to use in place of the global one. */
  readonly provider?: MeterProvider | undefined;
  /** Called after each change of the provider, with `undefined` if nobody collects. */
  readonly onBind?: (provider: MeterProvider | undefined) => void;
}

/** A histogram that follows the provider in force. */
export interface LateHistogram {
  /** `undefined` while nobody collects. */
  readonly current: Histogram | undefined;
}

interface BoundHistogram extends LateHistogram {
  current: Histogram | undefined;
  readonly make: (meter: Meter) => Histogram;
}

/**
 * The metrics of an area: a list of definitions with their readers, and any number of sources. Sources keep plain numbers; nothing happens before somebody
 * collects. The table binds late and again: before an SDK registers, the API answers with a meter that does nothing for ever.
 */
export class MetricTable<S> {
  readonly #options: MetricTableOptions<S>;
  readonly #sources = new Set<S>();
  readonly #histograms: BoundHistogram[] = [];
  readonly #reader: Reader<S>;
  #boundTo: MeterProvider | undefined;
  #meter: Meter | undefined;
  #unbind: () => void = () => {};
  #failures = 0;

  constructor(options: MetricTableOptions<S>) {
    this.#options = options;
    this.#reader = {
      rows: options.rows,
      sources: this.#sources,
      nameOf: (source) => options.nameOf?.(source),
      attributesOf: (source) => options.attributesOf?.(source) ?? {},
      safely: (body) => this.#safely(body),
    };
    bindWithSignals(this);
  }

  /** How often a provider, a meter or a reader has thrown. */
  get failures(): number {
    return this.#failures;
  }

  /** Publishes the numbers of `source` from now on. */
  add(source: S): void {
    this.#sources.add(source);
    this.bind();
  }

  /** Publishes them no more. */
  remove(source: S): void {
    this.#sources.delete(source);
  }

  /** The metrics that each named source has: those of which it gives a value, and its histograms. */
  published(): (readonly [source: string, metrics: readonly string[]])[] {
    const { rows, nameOf, histogramsOf } = this.#options;
    if (!nameOf) return [];
    return [...this.#sources].map((source) => {
      const names = (histogramsOf?.(source) ?? []).map(({ name }) => name);
      for (const [{ name }, read] of rows) {
        let isThere = false;
        this.#safely(() =>
          read(source, () => {
            isThere = true;
          }),
        );
        if (isThere) names.push(name);
      }
      return [nameOf(source), names] as const;
    });
  }

  /** @param bounds upper bounds of its buckets, ascending, in the unit of the definition */
  histogram({ name, unit, description }: MetricDefinition, bounds: readonly number[]): LateHistogram {
    const advice = { explicitBucketBoundaries: [...bounds] };
    const make = (meter: Meter): Histogram => meter.createHistogram(name, { unit, description, advice });
    const histogram: BoundHistogram = { current: undefined, make };
    this.#histograms.push(histogram);
    const meter = this.#meter;
    if (meter) this.#safely(() => (histogram.current = make(meter)));
    return histogram;
  }

  /**
   * Follows the provider that is in force now. Cheap enough for each call if it is the same. If a provider throws, the table has no metrics
   * until the next provider.
   */
  bind(): void {
    try {
      const provider = this.#options.provider ?? metrics.getMeterProvider();
      if (provider !== this.#boundTo) this.#move(provider);
    } catch {
      this.#failures += 1;
    }
  }

  #move(provider: MeterProvider): void {
    this.#boundTo = provider;
    this.#meter = undefined;
    for (const histogram of this.#histograms) histogram.current = undefined;
    // A provider that is gone may throw; the next one gets its metrics nevertheless.
    this.#safely(this.#unbind);
    this.#unbind = () => {};
    this.#safely(() => this.#create(provider));
    this.#options.onBind?.(this.#meter && provider);
  }

  #create(provider: MeterProvider): void {
    const meter = provider.getMeter(SCOPE_NAME);
    if (meter === createNoopMeter()) return;
    this.#meter = meter;
    this.#unbind = readAt(provider, meter, this.#reader);
    for (const histogram of this.#histograms) histogram.current = histogram.make(meter);
  }

  #safely(body: () => unknown): void {
    try {
      body();
    } catch {
      this.#failures += 1;
    }
  }
}
