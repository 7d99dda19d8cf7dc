import { isThenable } from '../../core/execution.ts';
import type { Origin, Outcome, Suppression } from '../../core/outcome.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { CallSpan } from '../../signals/index.ts';
import type { FailedOutcome } from '../call/call.ts';
import type { ReportedCall, Reporter } from '../call/reporter.ts';
import { isOwnTimeout } from './policy-errors.ts';

/** One run of the function, as seen from outside the policy. */
interface ObservedAttempt {
  readonly number: number;
  readonly startedAt: number;
  /** Whether it has been counted: it settled, or the policy went on without it. */
  counted: boolean;
}

/** One call of a policy that is not ours: its attempts are counted where the policy calls the function. */
export class ObservedCall implements ReportedCall {
  readonly operation: string;
  startedAt: number;
  origin: Origin = 'live';
  span: CallSpan | undefined = undefined;
  attempts = 0;
  suppressed: Suppression | undefined = undefined;
  outcome: Outcome | undefined = undefined;
  durationMs = 0;
  /** How the last attempt failed; `undefined` after one that did not. */
  lastFailure: { readonly outcome: FailedOutcome; readonly error: unknown } | undefined = undefined;
  /** What the last attempt gave; `undefined` after one that failed. */
  lastValue: unknown = undefined;
  readonly #reporter: Reporter;
  readonly #clock: Clock;
  #requestId: string | undefined = undefined;
  #current: ObservedAttempt | undefined = undefined;
  /** The failed first attempt, which gets its span when it turns out not to be the only one. */
  #untraced: { readonly startedAt: number; readonly endedAt: number } | undefined = undefined;

  constructor(operation: string, reporter: Reporter, clock: Clock) {
    this.operation = reporter.operation(operation);
    this.#reporter = reporter;
    this.#clock = clock;
    this.startedAt = clock.now();
  }

  get requestId(): string {
    this.#requestId ??= this.#reporter.makeRequestId();
    return this.#requestId;
  }

  /** Runs the function and watches it; gives and throws what the function does. */
  attempt(fn: () => unknown, signal: AbortSignal | undefined): unknown {
    this.finish(signal);
    const attempt: ObservedAttempt = { number: this.attempts, startedAt: this.#clock.now(), counted: false };
    this.attempts += 1;
    this.#current = attempt;
    if (attempt.number > 0) {
      this.#reporter.counters.retries += 1;
      this.#openSpan(attempt);
    }
    let result: unknown;
    try {
      result = this.span ? this.span.runAttempt(fn) : fn();
    } catch (error) {
      this.#settled(attempt, 'failure', error, signal);
      throw error;
    }
    if (!isThenable(result)) {
      this.#settled(attempt, 'success', undefined, signal, result);
      return result;
    }
    // The policy gets the very promise of the function: a promise after it would settle later, and lose races that the function wins.
    const promise = result instanceof Promise ? result : Promise.resolve(result);
    promise.then(
      (value: unknown) => this.#settled(attempt, 'success', undefined, signal, value),
      (error: unknown) => this.#settled(attempt, 'failure', error, signal),
    );
    return promise;
  }

  /** Whether `value`, which the policy gave, is not what the function gave last: some fallback made it. */
  isStandIn(value: unknown): boolean {
    return this.attempts === 0 || this.lastFailure !== undefined || !Object.is(value, this.lastValue);
  }

  /** The policy goes on or ends: an attempt that still runs is counted as timed out, or cancelled, and abandoned. */
  finish(signal: AbortSignal | undefined): void {
    const attempt = this.#current;
    if (!attempt || attempt.counted) return;
    this.#reporter.counters.abandoned += 1;
    this.#count(attempt, signal?.aborted ? 'cancelled' : 'timeout', signal?.reason);
  }

  #settled(
    attempt: ObservedAttempt,
    outcome: 'success' | 'failure',
    error: unknown,
    signal: AbortSignal | undefined,
    value?: unknown,
  ): void {
    if (attempt.counted) {
      this.#reporter.counters.abandoned -= 1;
      return;
    }
    this.lastValue = value;
    this.#count(attempt, outcome === 'failure' ? failureOf(error, signal) : outcome, error);
  }

  #count(attempt: ObservedAttempt, outcome: Exclude<Outcome, 'rejected'>, error: unknown): void {
    attempt.counted = true;
    this.#reporter.counters.attempts[outcome] += 1;
    this.lastFailure = outcome === 'success' ? undefined : { outcome, error };
    if (attempt.number === 0) this.#untraced = { startedAt: attempt.startedAt, endedAt: this.#clock.now() };
    else this.#reporter.safely(() => this.span?.endAttempt(outcome, error));
  }

  #openSpan(attempt: ObservedAttempt): void {
    const { span } = this;
    if (!span) return;
    this.#reporter.safely(() => {
      if (this.#untraced) {
        const { startedAt, endedAt } = this.#untraced;
        const offset = this.#clock.epoch() - this.#clock.now();
        const { outcome = 'failure', error } = this.lastFailure ?? {};
        span.recordAttempt(0, startedAt + offset, endedAt + offset, outcome, error);
        this.#untraced = undefined;
      }
      span.openAttempt(attempt.number);
    });
  }
}

/** How an attempt failed; a function that heeds its signal throws the error of the timeout around it. */
function failureOf(error: unknown, signal: AbortSignal | undefined): FailedOutcome {
  if (signal?.aborted) return 'cancelled';
  return isOwnTimeout(error) ? 'timeout' : 'failure';
}
