import { setRequestId } from '../../core/errors.ts';
import type { CoreEvent, GuardEvent } from '../../core/events.ts';
import { Listeners } from '../../core/events.ts';
import { isMistake, mistakeWarning } from '../../core/mistake.ts';
import type { Origin, Outcome, PolicyName, Suppression } from '../../core/outcome.ts';
import type { Random } from '../../core/random.ts';
import type { GuardCounters, GuardSource } from '../../core/stats.ts';
import { StoreWatch } from '../../core/store-watch.ts';
import type { Clock } from '../../core/time/clock.ts';
import { WarnOnce } from '../../core/warn-once.ts';
import { forgetNotSent } from '../../policies/retry/index.ts';
import type { CallSpan, Signals } from '../../signals/index.ts';
import { DurationAttributes, requestIdMaker } from '../../signals/index.ts';

/** What the guards of one instance share. */
export interface Seats {
  readonly clock: Clock;
  readonly random: Random;
  readonly signals: Signals;
  /** Told of options that do not fit together, and of stores and filters that fail. */
  readonly warn: (message: string) => void;
}

/** A call that has ended, as those hear of it who want to know. */
export interface SettledCall {
  readonly operation: string;
  readonly requestId: string;
  readonly attempts: number;
  readonly origin: Origin;
  readonly durationMs: number;
}

/** A call as its report needs it. */
export interface ReportedCall extends SettledCall {
  startedAt: number;
  readonly span: CallSpan | undefined;
  readonly suppressed: Suppression | undefined;
  outcome: Outcome | undefined;
  origin: Origin;
  durationMs: number;
}

/** The operations and error types of a guard that telemetry tells apart; the rest are `_OTHER`. */
const MAX_LABELS = 50;

/** Joins the core to the signals: takes what happens in one guard to its counters, listeners, spans, metrics and log. */
export class Reporter {
  readonly name: string;
  /** The service that the guard's calls go to, where it is named; an update may name another. */
  peer: string | undefined = undefined;
  /** The failure that the circuit breaker is judging at this moment. */
  blamed: unknown = undefined;
  readonly counters: GuardCounters;
  readonly makeRequestId: () => string;
  /** The store of the rate limit, of the guard and its keys together. */
  readonly limiterStore: StoreWatch;
  /** The second tier of the cache. */
  readonly cacheTier: StoreWatch;
  readonly #clock: Clock;
  readonly #signals: Signals;
  readonly #durationAttributes: DurationAttributes;
  readonly #listeners = new Listeners<GuardEvent>();
  readonly #signalIgnored = new Set<string>();
  readonly #once = new WarnOnce((message) => this.warn(message));
  readonly #warn: (message: string) => void;
  #published: GuardSource | undefined;
  #isRetired = false;

  constructor(name: string, counters: GuardCounters, { clock, random, signals, warn }: Seats) {
    this.name = name;
    this.counters = counters;
    this.makeRequestId = requestIdMaker(clock, random);
    this.#clock = clock;
    this.#signals = signals;
    this.#warn = warn;
    const watch = (what: string): StoreWatch => new StoreWatch(what, clock, (text) => this.warn(text));
    this.limiterStore = watch('The store of the rate limit');
    this.cacheTier = watch('The second tier of the cache');
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

  /** Shows these numbers and states from now on, in place of those that were shown before. */
  publish(source: GuardSource): void {
    if (this.#isRetired) return;
    if (this.#published) this.#signals.remove(this.#published);
    this.#published = source;
    this.#signals.add(source);
  }

  /** Shows no numbers any more, and measures no durations. Spans, log and listeners go on. */
  retire(): void {
    this.#isRetired = true;
    if (this.#published) this.#signals.remove(this.#published);
    this.#published = undefined;
  }

  startSpan(operation: string, holder: { readonly requestId: string }): CallSpan | undefined {
    return this.#signals.startCall(this.name, operation, holder, this.peer);
  }

  /** Runs telemetry of a call that may throw. */
  safely(body: () => void): void {
    this.#signals.safely(body);
  }

  /** Warns of what is wrong in this guard. */
  warn(message: string): void {
    this.safely(() => this.#warn(`guard "${this.name}": ${message}`));
  }

  /** Warns once for all that is called `about`. */
  warnOnce(about: string, message: () => string): void {
    this.#once.warn(about, message);
  }

  /** A state change is logged as well as told. */
  transition(event: Extract<CoreEvent, { type: 'breaker.transition' }>): void {
    this.counters.transitions[`${event.from}/${event.to}`] += 1;
    const blamed = event.to === 'open' && this.blamed !== undefined ? { error: this.blamed } : {};
    const guardEvent = { ...event, ...blamed, guard: this.name };
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

  /** A call has come. */
  begin(call: ReportedCall, now: number): void {
    call.startedAt = now;
    this.counters.inFlight += 1;
  }

  /** Whether nobody traces, measures or listens: then only the counters are kept. */
  get isUnwatched(): boolean {
    return this.#listeners.size === 0 && this.#signals.isOff;
  }

  /** A value came out of the cache, in a call that nobody watches. */
  countHit(): void {
    this.counters.calls.success += 1;
    this.counters.origins.cache += 1;
  }

  /** A call has waited for a policy. @param ms milliseconds */
  waited(policy: PolicyName, ms: number): void {
    const { waitMs } = this.counters;
    waitMs[policy] = (waitMs[policy] ?? 0) + ms;
    if (policy === 'bulkhead' && !this.#isRetired) this.#signals.recordWait(ms / 1_000, this.name);
  }

  /** A function was left behind without ever having asked for its signal: told once for each operation. */
  signalIgnored(call: { readonly operation: string; readonly requestId: string }): void {
    if (this.#signalIgnored.has(call.operation)) return;
    this.#signalIgnored.add(call.operation);
    const { operation, requestId } = call;
    const event = { type: 'signal.ignored', guard: this.name, operation, requestId } as const;
    this.#signals.write(event);
    this.#listeners.emit(event);
  }

  /** A value stood in for an error: one that is probably a mistake of the program is told once for each operation and type. */
  hidden(error: unknown, call: { readonly operation: string; readonly requestId: string }): void {
    if (!isMistake(error)) return;
    const { operation, requestId } = call;
    this.warnOnce(`mistake/${operation}/${error.name}`, () => {
      const event = { type: 'mistake.hidden', guard: this.name, operation, requestId, error } as const;
      this.#signals.write(event);
      this.#listeners.emit(event);
      return mistakeWarning(`\`${operation}\``, error);
    });
  }

  /** A call has ended: counts it, records its duration, ends its span, and tells whoever wants to know. */
  settle(call: ReportedCall, outcome: Outcome, error: unknown): void {
    this.counters.calls[outcome] += 1;
    if (outcome === 'success') this.counters.origins[call.origin] += 1;
    this.counters.inFlight -= 1;
    call.outcome = outcome;
    call.durationMs = this.#clock.now() - call.startedAt;
    if (!this.#isRetired) this.#record(call, outcome, error);
    if (outcome !== 'success') setRequestId(error, call.requestId);
    forgetNotSent(error);
    if (call.span) this.endSpan(call.span, call, outcome, error);
    if (this.isHeard || outcome === 'failure' || outcome === 'timeout')
      this.#tellSettled(call, outcome, error);
  }

  /** A call that nobody watched when it began has ended: counts it, and tells whoever wants to know by now. */
  settleUntimed(call: SettledCall, outcome: 'success' | 'failure', error: unknown): void {
    this.counters.calls[outcome] += 1;
    if (outcome === 'success') this.counters.origins.live += 1;
    else setRequestId(error, call.requestId);
    forgetNotSent(error);
    this.counters.inFlight -= 1;
    if (this.isHeard || outcome === 'failure') this.#tellSettled(call, outcome, error);
  }

  /** Ends the span of a call. */
  endSpan(span: CallSpan, call: ReportedCall, outcome: Outcome, error: unknown): void {
    const { attempts, suppressed, requestId } = call;
    this.#signals.endCall(span, {
      outcome,
      origin: call.origin,
      error,
      attempts,
      requestId,
      ...(suppressed ? { suppressed } : {}),
    });
  }

  #record(call: ReportedCall, outcome: Outcome, error: unknown): void {
    const { operation, durationMs, span } = call;
    this.#signals.recordDuration(
      durationMs / 1_000,
      this.#durationAttributes,
      operation,
      outcome,
      error,
      span,
    );
  }

  #tellSettled(call: SettledCall, outcome: Outcome, error: unknown): void {
    const event: GuardEvent = {
      type: 'call.settled',
      guard: this.name,
      operation: call.operation,
      requestId: call.requestId,
      outcome,
      origin: call.origin,
      attempts: call.attempts,
      durationMs: call.durationMs,
      error,
    };
    this.#signals.write(event);
    this.#listeners.emit(event);
  }
}
