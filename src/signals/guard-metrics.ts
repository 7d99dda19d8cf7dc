import type { BatchObservableResult, Histogram, Meter, MeterProvider, Observable } from '@opentelemetry/api';
import { createNoopMeter, metrics } from '@opentelemetry/api';
import { BREAKER_STATES } from '../core/events.ts';
import { OUTCOMES } from '../core/outcome.ts';
import type { GuardSource } from '../core/stats.ts';
import { exemplarPort } from './exemplars.ts';
import type { ExemplarPort } from './exemplars.ts';
import { createObservable } from './observable.ts';
import type { MetricDefinition } from './semconv.ts';
import * as semconv from './semconv.ts';

/** The observable instruments and how each is read from a guard. */
const READERS: readonly (readonly [MetricDefinition, (source: GuardSource, observe: Observe) => void])[] = [
  [semconv.METRIC_CALLS, readCalls],
  [semconv.METRIC_CALL_ABANDONED, ({ counters }, observe) => observe(counters.abandoned, {})],
  [
    semconv.METRIC_ATTEMPTS,
    ({ counters }, observe) => readTally(counters.attempts, semconv.ATTR_OUTCOME, observe),
  ],
  [
    semconv.METRIC_RETRY_SUPPRESSED,
    ({ counters }, observe) => readTally(counters.suppressed, semconv.ATTR_REASON, observe),
  ],
  [semconv.METRIC_REJECTIONS, readRejections],
  [semconv.METRIC_WAIT_TIME, readWaits],
  [semconv.METRIC_BREAKER_STATE, readBreakerState],
  [semconv.METRIC_BREAKER_TRANSITIONS, readTransitions],
  [semconv.METRIC_BULKHEAD_ACTIVE, ({ bulkhead }, observe) => bulkhead && observe(bulkhead.active, {})],
  [semconv.METRIC_BULKHEAD_LIMIT, ({ bulkhead }, observe) => bulkhead && observe(bulkhead.limit, {})],
  [semconv.METRIC_BULKHEAD_QUEUED, ({ bulkhead }, observe) => bulkhead && observe(bulkhead.queued, {})],
  [
    semconv.METRIC_BULKHEAD_QUEUE_LIMIT,
    ({ bulkhead }, observe) => bulkhead && observe(bulkhead.queueLimit, {}),
  ],
  [
    semconv.METRIC_RATE_LIMITER_AVAILABLE,
    ({ rateLimit }, observe) => rateLimit && observe(rateLimit.available, {}),
  ],
  [semconv.METRIC_RATE_LIMITER_LIMIT, ({ rateLimit }, observe) => rateLimit && observe(rateLimit.limit, {})],
  [
    semconv.METRIC_CACHE_REQUESTS,
    ({ cache }, observe) => cache && readTally(cache.counts, semconv.ATTR_CACHE_RESULT, observe),
  ],
  [semconv.METRIC_CACHE_ENTRIES, ({ cache }, observe) => cache && observe(cache.entries, {})],
  [
    semconv.METRIC_GUARD_KEYS,
    ({ keys }, observe) =>
      keys && keys.size > 0 && readTally(keys.byBreakerState(), semconv.ATTR_BREAKER_STATE, observe),
  ],
  [
    semconv.METRIC_RATE_LIMITER_STORE_FAILURES,
    ({ rateLimit }, observe) => rateLimit?.counters && observe(rateLimit.counters.failures, {}),
  ],
  [
    semconv.METRIC_RATE_LIMITER_UNLIMITED,
    ({ rateLimit }, observe) => rateLimit?.counters && observe(rateLimit.counters.unlimited, {}),
  ],
  [
    semconv.METRIC_CACHE_TIER_FAILURES,
    ({ cache }, observe) => cache?.hasTier && observe(cache.tierFailures, {}),
  ],
];

type Observe = (value: number, attributes: Record<string, string>) => void;

/**
 * The metrics of all guards of an instance. Counters are plain numbers that observable instruments read; only the duration is recorded for
 * each call. Instruments bind late and again: before an SDK registers, the API answers with a meter that does nothing for ever.
 */
export class GuardMetrics {
  readonly #provider: MeterProvider | undefined;
  readonly #sources = new Set<GuardSource>();
  #boundTo: MeterProvider | undefined;
  #unbind: () => void = () => {};
  #duration: Histogram | undefined;
  #wait: Histogram | undefined;
  #exemplars: ExemplarPort | undefined;

  /** @param provider the provider to use in place of the global one */
  constructor(provider?: MeterProvider) {
    this.#provider = provider;
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
    this.#unbind = this.#observe(meter);
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

  #observe(meter: Meter): () => void {
    const instruments = READERS.map(([definition]) => createObservable(meter, definition));
    const callback = (result: BatchObservableResult): void => {
      for (const source of this.#sources) readSource(source, instruments, result);
    };
    meter.addBatchObservableCallback(callback, instruments);
    return () => meter.removeBatchObservableCallback(callback, instruments);
  }
}

function readSource(
  source: GuardSource,
  instruments: readonly Observable[],
  result: BatchObservableResult,
): void {
  for (const [index, [, read]] of READERS.entries()) {
    const instrument = instruments[index];
    if (!instrument) continue;
    read(source, (value, attributes) => {
      result.observe(instrument, value, { [semconv.ATTR_GUARD_NAME]: source.name, ...attributes });
    });
  }
}

function createHistogram(meter: Meter, { name, unit, description }: MetricDefinition): Histogram {
  const advice = { explicitBucketBoundaries: [...semconv.CALL_DURATION_BOUNDS] };
  return meter.createHistogram(name, { unit, description, advice });
}

function readTally(counts: Readonly<Record<string, number>>, attribute: string, observe: Observe): void {
  for (const [key, count] of Object.entries(counts)) observe(count, { [attribute]: key });
}

function readCalls({ counters, origins }: GuardSource, observe: Observe): void {
  for (const outcome of OUTCOMES) {
    if (outcome === 'success') continue;
    observe(counters.calls[outcome], { [semconv.ATTR_OUTCOME]: outcome, [semconv.ATTR_ORIGIN]: 'live' });
  }
  for (const origin of origins) {
    observe(counters.origins[origin], { [semconv.ATTR_OUTCOME]: 'success', [semconv.ATTR_ORIGIN]: origin });
  }
}

function readRejections({ counters }: GuardSource, observe: Observe): void {
  for (const [key, count] of Object.entries(counters.rejections)) {
    const [policy = '', reason = ''] = key.split('/');
    observe(count, { [semconv.ATTR_POLICY_NAME]: policy, [semconv.ATTR_REASON]: reason });
  }
}

function readWaits({ counters }: GuardSource, observe: Observe): void {
  for (const [policy, ms] of Object.entries(counters.waitMs)) {
    observe(ms / 1_000, { [semconv.ATTR_POLICY_NAME]: policy });
  }
}

function readBreakerState({ breaker }: GuardSource, observe: Observe): void {
  if (!breaker) return;
  for (const state of BREAKER_STATES)
    observe(breaker.state === state ? 1 : 0, { [semconv.ATTR_BREAKER_STATE]: state });
}

function readTransitions({ breaker, counters }: GuardSource, observe: Observe): void {
  if (!breaker) return;
  for (const [key, count] of Object.entries(counters.transitions)) {
    const [from = '', to = ''] = key.split('/');
    observe(count, { [semconv.ATTR_BREAKER_FROM]: from, [semconv.ATTR_BREAKER_TO]: to });
  }
}
