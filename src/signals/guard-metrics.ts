import type { Histogram, MeterProvider } from '@opentelemetry/api';
import type { GuardSource } from '../core/stats.ts';
import { exemplarPort } from './exemplars.ts';
import type { ExemplarPort } from './exemplars.ts';
import { GUARD_READERS } from './guard-readers.ts';
import type { LateHistogram } from './metric-table.ts';
import { MetricTable } from './metric-table.ts';
import * as semconv from './semconv.ts';

/**
 * The metrics of all guards of an instance. Counters are plain numbers that observable instruments read; only the durations are recorded for
 * each call.
 */
export class GuardMetrics {
  readonly #table: MetricTable<GuardSource>;
  readonly #duration: LateHistogram;
  readonly #wait: LateHistogram;
  #exemplars: ExemplarPort | undefined;

  /** @param provider the provider to use in place of the global one */
  constructor(provider?: MeterProvider) {
    this.#table = new MetricTable({
      rows: GUARD_READERS,
      nameOf: ({ name }) => name,
      histogramsOf: ({ bulkhead }) =>
        bulkhead
          ? [semconv.METRIC_CALL_DURATION, semconv.METRIC_BULKHEAD_WAIT]
          : [semconv.METRIC_CALL_DURATION],
      attributesOf: ({ name }) => ({ [semconv.ATTR_GUARD_NAME]: name }),
      provider,
      onBind: (bound) => {
        const port = exemplarPort();
        this.#exemplars = bound && port?.meterProvider === bound ? port : undefined;
      },
    });
    this.#duration = this.#table.histogram(semconv.METRIC_CALL_DURATION, semconv.CALL_DURATION_BOUNDS);
    this.#wait = this.#table.histogram(semconv.METRIC_BULKHEAD_WAIT, semconv.CALL_DURATION_BOUNDS);
  }

  /** How often a provider, a meter or a reader has thrown. */
  get failures(): number {
    return this.#table.failures;
  }

  /** Publishes a guard's numbers from now on. */
  add(source: GuardSource): void {
    this.#table.add(source);
  }

  /** Publishes them no more. */
  remove(source: GuardSource): void {
    this.#table.remove(source);
  }

  /** The histogram of call durations; `undefined` if nobody collects. Cheap enough to be asked for at each call. */
  get duration(): Histogram | undefined {
    this.#table.bind();
    return this.#duration.current;
  }

  /** Where exemplars of call durations go; `undefined` if nobody wants any. As of the last {@link duration}. */
  get exemplars(): ExemplarPort | undefined {
    return this.#exemplars;
  }

  /** The histogram of waits for a slot; `undefined` if nobody collects. */
  get wait(): Histogram | undefined {
    return this.#wait.current;
  }
}
