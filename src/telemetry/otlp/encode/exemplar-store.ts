import type { Attributes, MeterProvider } from '@opentelemetry/api';
import type { Clock } from '../../../core/time/clock.ts';
import type { ExemplarPort, ExemplarSeries } from '../../../signals/index.ts';

/** A sampled call that stands for a bucket. */
export interface Exemplar {
  readonly value: number;
  /** When it was recorded, wall-clock milliseconds. */
  readonly epochMs: number;
  readonly traceId: string;
  readonly spanId: string;
}

/** Series that have exemplars; the SDK itself keeps no more of an instrument. With all buckets filled they take some 6 MB. */
const MAX_SERIES = 2_000;

interface Kept extends Exemplar {
  /** Counts all exemplars up, so that a reader knows what it has not seen. */
  readonly number: number;
}

type Stamp = Pick<Kept, 'epochMs' | 'number'>;

/** The newest sampled call of each bucket of one series. */
class Buckets implements ExemplarSeries {
  readonly kept: (Kept | undefined)[] = [];
  readonly #bounds: readonly number[];
  readonly #stamp: () => Stamp;

  constructor(bounds: readonly number[], stamp: () => Stamp) {
    this.#bounds = bounds;
    this.#stamp = stamp;
  }

  offer(value: number, traceId: string, spanId: string): void {
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] ?? 0)) index += 1;
    const { epochMs, number } = this.#stamp();
    this.kept[index] = { value, traceId, spanId, epochMs, number };
  }
}

/**
 * Keeps the exemplars of histograms until somebody reads them: one for each bucket, the newest. The SDK's metrics have none (3.1). Reading takes
 * nothing away, so that the Prometheus endpoint and OTLP may both show the same one.
 */
export class ExemplarStore implements ExemplarPort {
  readonly meterProvider: MeterProvider;
  readonly #clock: Clock;
  readonly #instruments = new Map<string, Map<string, Buckets>>();
  #series = 0;
  #count = 0;

  /** @param meterProvider whose data points the exemplars go with */
  constructor(meterProvider: MeterProvider, clock: Clock) {
    this.meterProvider = meterProvider;
    this.#clock = clock;
  }

  /** How many exemplars there have been: the mark for {@link since}. */
  get count(): number {
    return this.#count;
  }

  series(instrument: string, bounds: readonly number[], attributes: Attributes): ExemplarSeries | undefined {
    let all = this.#instruments.get(instrument);
    if (!all) this.#instruments.set(instrument, (all = new Map()));
    const key = keyOf(attributes);
    let series = all.get(key);
    if (!series && this.#series < MAX_SERIES) {
      this.#series += 1;
      all.set(key, (series = new Buckets(bounds, () => this.#stamp())));
    }
    return series;
  }

  /** @returns the exemplars of a series that came after `mark`, by ascending value; all for 0 */
  since(mark: number, instrument: string, attributes: Attributes): readonly Exemplar[] {
    const kept = this.#instruments.get(instrument)?.get(keyOf(attributes))?.kept ?? [];
    return kept.filter((each) => each !== undefined && each.number > mark) as Kept[];
  }

  #stamp(): Stamp {
    this.#count += 1;
    return { epochMs: this.#clock.epoch(), number: this.#count };
  }
}

/** The same for the same attributes, in whatever order they come. */
function keyOf(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
