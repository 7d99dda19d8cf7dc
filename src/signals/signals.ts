import type { LoggerProvider, MeterProvider, TracerProvider } from '@opentelemetry/api';
import type { GuardEvent } from '../core/events.ts';
import type { Outcome } from '../core/outcome.ts';
import type { GuardSource } from '../core/stats.ts';
import type { DurationAttributes } from './duration-attributes.ts';
import { GuardLog } from './guard-log.ts';
import { GuardMetrics } from './guard-metrics.ts';
import type { RequestIdHolder } from './request-id.ts';
import * as semconv from './semconv.ts';
import type { CallSpan, CallSummary } from './spans.ts';
import { GuardSpans } from './spans.ts';

/** The providers to use in place of the global ones. */
export interface Providers {
  readonly tracerProvider?: TracerProvider | undefined;
  readonly meterProvider?: MeterProvider | undefined;
  readonly loggerProvider?: LoggerProvider | undefined;
}

/** The telemetry of guarded calls. Nothing that a provider does wrong gets out of here: it is counted, and the call goes on. */
export class Signals {
  readonly #spans: GuardSpans;
  readonly #metrics: GuardMetrics;
  readonly #log: GuardLog;
  #failures = 0;

  constructor(providers: Providers = {}) {
    this.#spans = new GuardSpans(providers.tracerProvider);
    this.#metrics = new GuardMetrics(providers.meterProvider);
    this.#log = new GuardLog(providers.loggerProvider);
  }

  /** How often a tracer, meter or logger has thrown. */
  get failures(): number {
    return this.#failures + this.#metrics.failures;
  }

  /** Whether nobody collects spans or durations. Follows the providers that are in force. */
  get isOff(): boolean {
    try {
      return !this.#spans.isOn && this.#metrics.duration === undefined;
    } catch {
      this.#failures += 1;
      return true;
    }
  }

  /** Publishes the numbers of a guard from now on. */
  add(source: GuardSource): void {
    this.#metrics.add(source);
  }

  /** Publishes them no more. */
  remove(source: GuardSource): void {
    this.#metrics.remove(source);
  }

  /** @param peer the service on the other side, where the guard names it */
  startCall(guard: string, operation: string, holder: RequestIdHolder, peer?: string): CallSpan | undefined {
    try {
      return this.#spans.start(guard, operation, holder, peer);
    } catch {
      this.#failures += 1;
      return undefined;
    }
  }

  endCall(span: CallSpan, summary: CallSummary): void {
    try {
      span.end(summary);
    } catch {
      this.#failures += 1;
    }
  }

  recordDuration(
    seconds: number,
    series: DurationAttributes,
    operation: string,
    outcome: Outcome,
    error: unknown,
    span: CallSpan | undefined,
  ): void {
    try {
      const { duration } = this.#metrics;
      if (!duration) return;
      const one = series.get(operation, outcome, error);
      duration.record(seconds, one.attributes);
      const { exemplars } = this.#metrics;
      const sampled = exemplars && span?.sampled;
      if (sampled) one.exemplars(exemplars)?.offer(seconds, sampled.traceId, sampled.spanId);
    } catch {
      this.#failures += 1;
    }
  }

  /** A call has waited for a slot of the bulkhead. */
  recordWait(seconds: number, guard: string): void {
    this.safely(() => this.#metrics.wait?.record(seconds, { [semconv.ATTR_GUARD_NAME]: guard }));
  }

  write(event: GuardEvent): void {
    this.safely(() => this.#log.write(event));
  }

  /** Runs `body`; what it throws is counted and goes no further. */
  safely(body: () => void): void {
    try {
      body();
    } catch {
      this.#failures += 1;
    }
  }
}
