import type { Context, Link, Span, SpanContext, Tracer, TracerProvider } from '@opentelemetry/api';
import {
  context as contextApi,
  ProxyTracerProvider,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import type { CallAccount, Outcome } from '../core/outcome.ts';
import { errorMessage, errorType } from './error-type.ts';
import { withRequestId } from './request-id.ts';
import type { RequestIdHolder } from './request-id.ts';
import * as semconv from './semconv.ts';

/** How a call ended, as its span tells it. */
export type CallSummary = Omit<CallAccount, 'ageMs' | 'durationMs'> & {
  readonly outcome: Outcome;
  readonly error: unknown;
};

/** Makes the spans of guarded calls; follows the tracer provider that is in force. */
export class GuardSpans {
  readonly #provider: TracerProvider | undefined;
  #boundTo: TracerProvider | undefined;
  #tracer: Tracer | undefined;

  /** @param provider the provider to use in place of the global one */
  constructor(provider?: TracerProvider) {
    this.#provider = provider;
  }

  /** Whether there is a tracer that could record. */
  get isOn(): boolean {
    return this.#currentTracer() !== undefined;
  }

  /** The span of a call; `undefined` where nobody records it: no SDK, or a parent that is not sampled. */
  start(
    guard: string,
    operation: string,
    holder: RequestIdHolder,
    peer: string | undefined,
  ): CallSpan | undefined {
    const tracer = this.#currentTracer();
    if (!tracer) return undefined;
    const parent = contextApi.active();
    const parentSpan = trace.getSpan(parent);
    if (parentSpan && !parentSpan.isRecording() && isUnsampled(parentSpan)) return undefined;
    const name = `${guard} ${operation}`;
    const span = tracer.startSpan(name, { kind: SpanKind.INTERNAL }, parent);
    if (span.isRecording()) {
      span.setAttribute(semconv.ATTR_GUARD_NAME, guard);
      span.setAttribute(semconv.ATTR_OPERATION_NAME, operation);
      if (peer !== undefined) span.setAttribute(semconv.ATTR_PEER_NAME, peer);
    }
    return new CallSpan(tracer, span, withRequestId(trace.setSpan(parent, span), holder), name);
  }

  #currentTracer(): Tracer | undefined {
    const provider = this.#provider ?? trace.getTracerProvider();
    if (provider === this.#boundTo && this.#tracer) return this.#tracer;
    this.#boundTo = provider;
    // The API's own stand-in has no tracer before an SDK registers; a tracer that it gave before would do nothing for ever.
    this.#tracer =
      provider instanceof ProxyTracerProvider
        ? provider.getDelegateTracer(semconv.SCOPE_NAME)
        : provider.getTracer(semconv.SCOPE_NAME);
    return this.#tracer;
  }
}

function isUnsampled(span: Span): boolean {
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0;
}

/** The span of one call, and those of its attempts once there is more than one. */
export class CallSpan {
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #context: Context;
  readonly #name: string;
  #previousAttempt: Span | undefined;
  #attempt: Span | undefined;

  constructor(tracer: Tracer, span: Span, context: Context, name: string) {
    this.#tracer = tracer;
    this.#span = span;
    this.#context = context;
    this.#name = name;
  }

  /** The ids of the span, where it is sampled. */
  get sampled(): SpanContext | undefined {
    const context = this.#span.spanContext();
    return (context.traceFlags & TraceFlags.SAMPLED) === 0 ? undefined : context;
  }

  /** Runs `body` with this span as the active one. */
  run<T>(body: () => T): T {
    return runIn(this.#context, body);
  }

  /**
   * Tells of an attempt that is over and had no span of its own, since nobody could know that it would not be the only one.
   * @param startedAt wall-clock milliseconds
   * @param endedAt wall-clock milliseconds
   */
  recordAttempt(attempt: number, startedAt: number, endedAt: number, outcome: string, error: unknown): void {
    if (!this.#span.isRecording()) return;
    const span = this.#startAttempt(attempt, startedAt);
    this.#end(span, outcome, error, endedAt);
  }

  /** Opens the span of an attempt, which links to the one before; {@link runAttempt} then runs within it. */
  openAttempt(attempt: number): void {
    if (this.#span.isRecording()) this.#attempt = this.#startAttempt(attempt);
  }

  /** Runs `body` with the open attempt's span as the active one. */
  runAttempt<T>(body: () => T): T {
    return this.#attempt ? runIn(trace.setSpan(this.#context, this.#attempt), body) : body();
  }

  /** Ends the open span of an attempt. @returns whether one was open */
  endAttempt(outcome: string, error: unknown): boolean {
    const span = this.#attempt;
    if (!span) return false;
    this.#attempt = undefined;
    this.#end(span, outcome, error);
    return true;
  }

  /** Links to the call that did the work for this one. */
  link(other: CallSpan): void {
    this.#span.addLink({ context: other.#span.spanContext() });
  }

  /** Ends the span of the call. Errors that a later attempt made good leave no trace on it. */
  end(summary: CallSummary): void {
    try {
      if (this.#span.isRecording()) this.#describe(summary);
    } finally {
      this.#span.end();
    }
  }

  #describe(summary: CallSummary): void {
    const span = this.#span;
    span.setAttribute(semconv.ATTR_OUTCOME, summary.outcome);
    span.setAttribute(semconv.ATTR_ORIGIN, summary.origin);
    span.setAttribute(semconv.ATTR_ATTEMPTS, summary.attempts);
    span.setAttribute(semconv.ATTR_REQUEST_ID, summary.requestId);
    if (summary.suppressed) {
      span.setAttribute(semconv.ATTR_SUPPRESSED_POLICY, summary.suppressed.policy);
      span.setAttribute(semconv.ATTR_SUPPRESSED_REASON, summary.suppressed.reason);
    }
    if (summary.outcome !== 'success') setError(span, summary.outcome, summary.error);
    else if (summary.error !== undefined)
      span.setAttribute(semconv.ATTR_ERROR_TYPE, errorType(summary.error));
  }

  #startAttempt(attempt: number, startTime?: number): Span {
    const links: Link[] = this.#previousAttempt ? [{ context: this.#previousAttempt.spanContext() }] : [];
    const options = { kind: SpanKind.INTERNAL, links, ...(startTime === undefined ? {} : { startTime }) };
    const span = this.#tracer.startSpan(`${this.#name} attempt`, options, this.#context);
    span.setAttribute(semconv.ATTR_ATTEMPT_NUMBER, attempt);
    this.#previousAttempt = span;
    return span;
  }

  #end(span: Span, outcome: string, error: unknown, endTime?: number): void {
    try {
      span.setAttribute(semconv.ATTR_OUTCOME, outcome);
      if (outcome !== 'success') setError(span, outcome, error);
    } finally {
      span.end(endTime);
    }
  }
}

/** `context.with`, but for the case that the context manager itself fails: then `body` runs where it is. */
function runIn<T>(context: Context, body: () => T): T {
  let started = false;
  try {
    return contextApi.with(context, () => {
      started = true;
      return body();
    });
  } catch (error) {
    if (started) throw error;
    return body();
  }
}

/** A caller that gave up is no error of anybody's. */
function setError(span: Span, outcome: string, error: unknown): void {
  span.setAttribute(semconv.ATTR_ERROR_TYPE, errorType(error));
  if (outcome === 'cancelled') return;
  const message = error instanceof Error ? errorMessage(error) : undefined;
  span.setStatus(
    message === undefined ? { code: SpanStatusCode.ERROR } : { code: SpanStatusCode.ERROR, message },
  );
}
