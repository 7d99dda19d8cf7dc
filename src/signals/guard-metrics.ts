import type { BatchObservableResult, Histogram, Meter, MeterProvider, Observable } from '@opentelemetry/api';
import { createNoopMeter, metrics } from '@opentelemetry/api';
import type { GuardSource } from '../core/stats.ts';
import { exemplarPort } from './exemplars.ts';
import type { ExemplarPort } from './exemplars.ts';
import { GUARD_READERS, readGuards } from './guard-readers.ts';
import type { MetricDefinition } from './semconv.ts';
import * as semconv from './semconv.ts';

/**
 * The metrics of all guards of an instance. Counters are plain numbers that observable instruments read; only the duration is recorded for
 * each call. Instruments bind late and again: before an SDK registers, the API answers with a meter that does nothing for ever.
 */
export class GuardMetrics {
  readonly #provider: MeterProvider | undefined;
  /** Kept as long as somebody collects these metrics. */
  readonly owner: unknown;
  readonly #sources = new Set<GuardSource>();
  #boundTo: MeterProvider | undefined;
  #unbind: () => void = () => {};
  #duration: Histogram | undefined;
  #wait: Histogram | undefined;
  #exemplars: ExemplarPort | undefined;

  /**
   * @param provider the provider to use in place of the global one
   * @param owner who publishes them
   */
  constructor(provider?: MeterProvider, owner?: unknown) {
    this.#provider = provider;
    this.owner = owner;
  }

  /** The guards whose numbers are published. */
  get sources(): Iterable<GuardSource> {
    return this.#sources;
  }

  /** Publishes a guard's numbers from now on. */
  add(source: GuardSource): void {
    this.#sources.add(source);
    this.bind();
  }

  /** Publishes them no more. */
  remove(source: GuardSource): void {
    this.#sources.delete(source);
  }

  /** The histogram of call durations; `undefined` where nobody collects. Cheap enough to be asked for at each call. */
  get duration(): Histogram | undefined {
    if (this.#currentProvider() !== this.#boundTo) this.bind();
    return this.#duration;
  }

  /** Follows the provider that is in force now. A provider that throws leaves the guards without metrics, and otherwise untouched. */
  bind(): void {
    const provider = this.#currentProvider();
    if (provider === this.#boundTo) return;
    this.#boundTo = provider;
    this.#unbind();
    this.#unbind = () => {};
    this.#duration = undefined;
    this.#wait = undefined;
    this.#exemplars = undefined;
    const meter = provider.getMeter(semconv.SCOPE_NAME);
    if (meter === createNoopMeter()) return;
    this.#unbind = join(provider, meter, this);
    this.#duration = createHistogram(meter, semconv.METRIC_CALL_DURATION);
    this.#wait = createHistogram(meter, semconv.METRIC_BULKHEAD_WAIT);
    const port = exemplarPort();
    if (port?.meterProvider === provider) this.#exemplars = port;
  }

  /** Where exemplars of call durations go; `undefined` where nobody wants any. As of the last {@link duration}. */
  get exemplars(): ExemplarPort | undefined {
    return this.#exemplars;
  }

  /** The histogram of waits for a slot; `undefined` where nobody collects. */
  get wait(): Histogram | undefined {
    return this.#wait;
  }

  #currentProvider(): MeterProvider {
    return this.#provider ?? metrics.getMeterProvider();
  }
}

/** The instances that report to one meter provider: read together, since numbers of one name would hide one another. */
interface Readership {
  readonly members: Set<GuardMetrics>;
  readonly stop: () => void;
}

const readerships = new WeakMap<MeterProvider, Readership>();

/** Reads the guards of `member` from now on. @returns a function that stops it */
function join(provider: MeterProvider, meter: Meter, member: GuardMetrics): () => void {
  const readership = readerships.get(provider) ?? readershipOf(meter);
  readerships.set(provider, readership);
  readership.members.add(member);
  return () => {
    readership.members.delete(member);
    if (readership.members.size > 0) return;
    readerships.delete(provider);
    readership.stop();
  };
}

function readershipOf(meter: Meter): Readership {
  const members = new Set<GuardMetrics>();
  const instruments = GUARD_READERS.map(([definition]) => createObservable(meter, definition));
  const callback = (result: BatchObservableResult): void => {
    const sources = [...members].flatMap((member) => [...member.sources]);
    readGuards(sources, (index, value, attributes) => {
      const instrument = instruments[index];
      if (instrument) result.observe(instrument, value, attributes);
    });
  };
  meter.addBatchObservableCallback(callback, instruments);
  return { members, stop: () => meter.removeBatchObservableCallback(callback, instruments) };
}

function createHistogram(meter: Meter, { name, unit, description }: MetricDefinition): Histogram {
  const advice = { explicitBucketBoundaries: [...semconv.CALL_DURATION_BOUNDS] };
  return meter.createHistogram(name, { unit, description, advice });
}

function createObservable(
  meter: Meter,
  { name, instrument, unit, description }: MetricDefinition,
): Observable {
  const options = { unit, description };
  if (instrument === 'counter') return meter.createObservableCounter(name, options);
  if (instrument === 'updowncounter') return meter.createObservableUpDownCounter(name, options);
  return meter.createObservableGauge(name, options);
}
