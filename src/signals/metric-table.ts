import type {
  Attributes,
  BatchObservableResult,
  Histogram,
  Meter,
  MeterProvider,
  Observable,
} from '@opentelemetry/api';
import { createNoopMeter, metrics } from '@opentelemetry/api';
import { bindWithSignals } from './bind-signals.ts';
import type { MetricDefinition } from './semconv.ts';
import { SCOPE_NAME } from './semconv.ts';

/** Takes one value of a metric. A value that is `undefined` or no finite number is left out. */
export type Observe = (value: number | undefined, attributes?: Attributes) => void;

/** A metric, and how its values are read from a source. What `read` returns is ignored. */
export type MetricRow<S> = readonly [
  definition: MetricDefinition,
  read: (source: S, observe: Observe) => unknown,
];

/** What a {@link MetricTable} publishes, and where. */
export interface MetricTableOptions<S> {
  /** Counters, gauges and up-down counters, which are read when somebody collects. */
  readonly rows: readonly MetricRow<S>[];
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
  #boundTo: MeterProvider | undefined;
  #meter: Meter | undefined;
  #unbind: () => void = () => {};
  #failures = 0;

  constructor(options: MetricTableOptions<S>) {
    this.#options = options;
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
    this.#unbind = this.#publish(meter);
    for (const histogram of this.#histograms) histogram.current = histogram.make(meter);
  }

  #publish(meter: Meter): () => void {
    const { rows } = this.#options;
    const instruments = rows.map(([definition]) => observableFor(meter, definition));
    const callback = (result: BatchObservableResult): void => {
      for (const source of this.#sources) this.#safely(() => this.#read(source, instruments, result));
    };
    meter.addBatchObservableCallback(callback, instruments);
    return () => meter.removeBatchObservableCallback(callback, instruments);
  }

  /** A reader that throws costs its own metric of this source, and nothing else. */
  #read(source: S, instruments: readonly Observable[], result: BatchObservableResult): void {
    const { rows, attributesOf } = this.#options;
    const common = attributesOf?.(source);
    for (const [index, [, read]] of rows.entries()) {
      const instrument = instruments[index];
      if (!instrument) continue;
      this.#safely(() =>
        read(source, (value, attributes) => {
          if (value !== undefined && Number.isFinite(value))
            result.observe(instrument, value, { ...common, ...attributes });
        }),
      );
    }
  }

  #safely(body: () => unknown): void {
    try {
      body();
    } catch {
      this.#failures += 1;
    }
  }
}

/**
 * Makes the observable instrument that a definition describes.
 * @throws {TypeError} for a histogram, which cannot be observed
 */
export function observableFor(
  meter: Meter,
  { name, instrument, unit, description }: MetricDefinition,
): Observable {
  const options = { unit, description };
  switch (instrument) {
    case 'counter':
      return meter.createObservableCounter(name, options);
    case 'updowncounter':
      return meter.createObservableUpDownCounter(name, options);
    case 'gauge':
      return meter.createObservableGauge(name, options);
    case 'histogram':
      throw new TypeError(`${name} is a histogram: it cannot be observed.`);
  }
}
