import type { Clock } from '../core/clock.ts';
import { setRequestId } from '../core/errors.ts';
import type { CoreEvent, GuardEvent } from '../core/events.ts';
import { Listeners } from '../core/events.ts';
import type { Outcome, Suppression } from '../core/outcome.ts';
import type { Random } from '../core/random.ts';
import type { GuardCounters } from '../core/stats.ts';
import type { CallSpan, Signals } from '../signals/index.ts';
import { DurationAttributes, requestIdMaker } from '../signals/index.ts';

/** What the guards of one instance share. */
export interface Seats {
  readonly clock: Clock;
  readonly random: Random;
  readonly signals: Signals;
}

/** A call as its report needs it. */
export interface ReportedCall {
  readonly operation: string;
  readonly requestId: string;
  readonly startedAt: number;
  readonly span: CallSpan | undefined;
  readonly attempts: number;
  readonly suppressed: Suppression | undefined;
  outcome: Outcome | undefined;
  durationMs: number;
}

/** The operations and error types of a guard that telemetry tells apart; the rest are `_OTHER`. */
const MAX_LABELS = 50;

/** Joins the core to the signals: takes what happens in one guard to its counters, listeners, spans, metrics and log. */
export class Reporter {
  readonly name: string;
  readonly counters: GuardCounters;
  readonly makeRequestId: () => string;
  readonly #clock: Clock;
  readonly #signals: Signals;
  readonly #durationAttributes: DurationAttributes;
  readonly #listeners = new Listeners<GuardEvent>();

  constructor(name: string, counters: GuardCounters, { clock, random, signals }: Seats) {
    this.name = name;
    this.counters = counters;
    this.makeRequestId = requestIdMaker(clock, random);
    this.#clock = clock;
    this.#signals = signals;
    this.#durationAttributes = new DurationAttributes(name, MAX_LABELS);
  }

  /** Calls `listener` for every event; what it throws is counted and changes nothing. @returns a function that removes it */
  on(listener: (event: GuardEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** How often listeners have thrown. */
  get listenerFailures(): number {
    return this.#listeners.failures;
  }

  /** The operation as telemetry may name it. */
  operation(operation: string): string {
    return this.#durationAttributes.operation(operation);
  }

  /** Whether an event would reach anybody; events that only listeners want are not built otherwise. */
  get isHeard(): boolean {
    return this.#listeners.size > 0;
  }

  startSpan(operation: string, holder: { readonly requestId: string }): CallSpan | undefined {
    return this.#signals.startCall(this.name, operation, holder);
  }

  /** Runs telemetry of a call that may throw. */
  safely(body: () => void): void {
    this.#signals.safely(body);
  }

  /** A state change is logged as well as told. */
  transition(event: Extract<CoreEvent, { type: 'breaker.transition' }>): void {
    this.counters.transitions[`${event.from}/${event.to}`] += 1;
    const guardEvent = { ...event, guard: this.name };
    this.#signals.write(guardEvent);
    this.#listeners.emit(guardEvent);
  }

  /** Tells the listeners. */
  tell(event: CoreEvent, call: { readonly operation: string; readonly requestId: string }): void {
    if (this.#listeners.size === 0) return;
    this.#listeners.emit({
      ...event,
      guard: this.name,
      operation: call.operation,
      requestId: call.requestId,
    });
  }

  /** A call has ended: counts it, records its duration, ends its span, and tells whoever wants to know. */
  settle(call: ReportedCall, outcome: Outcome, error: unknown): void {
    this.counters.calls[outcome] += 1;
    this.counters.inFlight -= 1;
    call.outcome = outcome;
    call.durationMs = this.#clock.now() - call.startedAt;
    this.#signals.recordDuration(
      call.durationMs / 1_000,
      this.#durationAttributes,
      call.operation,
      outcome,
      error,
    );
    if (outcome !== 'success') setRequestId(error, call.requestId);
    if (call.span) this.#endSpan(call.span, call, outcome, error);
    if (this.isHeard || outcome === 'failure' || outcome === 'timeout')
      this.#tellSettled(call, outcome, error);
  }

  #endSpan(span: CallSpan, call: ReportedCall, outcome: Outcome, error: unknown): void {
    const { attempts, suppressed, requestId } = call;
    this.#signals.endCall(span, {
      outcome,
      origin: 'live',
      error,
      attempts,
      requestId,
      ...(suppressed ? { suppressed } : {}),
    });
  }

  #tellSettled(call: ReportedCall, outcome: Outcome, error: unknown): void {
    const event: GuardEvent = {
      type: 'call.settled',
      guard: this.name,
      operation: call.operation,
      requestId: call.requestId,
      outcome,
      origin: 'live',
      attempts: call.attempts,
      durationMs: call.durationMs,
      error,
    };
    this.#signals.write(event);
    this.#listeners.emit(event);
  }
}
