import type { Clock } from '../core/clock.ts';
import type { DeadlineList } from '../core/deadline-node.ts';
import type { Deadlines } from '../core/deadlines.ts';
import { deadlinesFor, loopDelayMs } from '../core/deadlines.ts';
import { errorLine } from '../core/error-line.ts';
import { FailedResultError, isLoopDelay, isRejection, TimeoutError } from '../core/errors.ts';
import { Execution } from '../core/execution.ts';
import type { SuppressionReason } from '../core/outcome.ts';
import type { Random } from '../core/random.ts';
import { Wait } from '../core/wait.ts';
import { Retry, retryAfterOf } from '../policies/retry/index.ts';
import type { Gates } from './admission.ts';
import { runInside } from './ambient.ts';
import type { FailedOutcome } from './call.ts';
import { Call, ExecutionContext, Frame } from './call.ts';
import type { ResolvedGuard } from './options.ts';
import type { Reporter } from './reporter.ts';

/** Runs the function of a call, judges how it ended, and decides whether it runs once more. */
export class Attempts {
  readonly #gates: Gates;
  readonly #options: ResolvedGuard;
  readonly #retry: Retry | undefined;
  readonly #retries: number;
  readonly #timeout: DeadlineList | undefined;
  readonly #expired: (lateMs: number) => TimeoutError;
  /** Whether guards inside have anything to learn from this one. */
  readonly #tellsInner: boolean;
  readonly #deadlines: Deadlines;
  readonly #clock: Clock;
  readonly #reporter: Reporter;

  constructor(options: ResolvedGuard, gates: Gates, reporter: Reporter, clock: Clock, random: Random) {
    const { retry, timeout } = options;
    this.#options = options;
    this.#gates = gates;
    this.#reporter = reporter;
    this.#clock = clock;
    this.#retries = retry?.retries ?? 0;
    if (retry) this.#retry = new Retry(retry, clock, random);
    this.#deadlines = deadlinesFor(clock);
    if (timeout.attemptMs !== undefined) this.#timeout = this.#deadlines.list(timeout.attemptMs);
    const source = { guard: reporter.name };
    this.#expired = (lateMs) => {
      // A timer that fired late tells of the event loop, not of the dependency.
      return new TimeoutError('attempt', timeout.attemptMs ?? Number.NaN, source, loopDelayMs(lateMs));
    };
    this.#tellsInner =
      retry !== undefined || timeout.attemptMs !== undefined || timeout.totalMs !== undefined;
    this.shapes = this.#exemplars();
  }

  /**
   * Objects of the shapes that a call has, kept alive: V8 forgets a shape of which a collection finds no object, and throws away the
   * code that it has optimised for it. A service that is idle at a collection would pay for that again and again.
   */
  readonly shapes: readonly unknown[];

  #exemplars(): readonly unknown[] {
    const call = new Call<undefined>(
      '',
      '',
      () => undefined,
      undefined,
      () => '',
    );
    const execution = new Execution<undefined>({ abandoned: 0 }, this.#expired);
    const context = new ExecutionContext(0, call, execution);
    return [call, execution, context, new Frame(this.#clock, call, execution, false, context)];
  }

  /** A call has come. */
  begin(now: number): void {
    this.#retry?.call(now);
  }

  /** Calls the function. @throws what it throws at once */
  start<T>(call: Call<T>, now: number): PromiseLike<T> | T {
    const attempt = call.attempts;
    const execution = new Execution<T>(this.#reporter.counters, this.#expired);
    const context = new ExecutionContext(attempt, call, execution);
    call.attempts = attempt + 1;
    if (attempt > 0) this.#reporter.counters.retries += 1;
    call.execution = execution;
    call.executionStartedAt = now;
    call.enter(execution);
    if (this.#timeout) this.#deadlines.arm(this.#timeout, execution, now);
    const { span } = call;
    if (span && (attempt > 0 || this.#options.spanForEveryAttempt)) {
      this.#reporter.safely(() => span.openAttempt(attempt));
      return span.runAttempt(() => this.#execute(call, execution, context));
    }
    return this.#execute(call, execution, context);
  }

  /** The function gave a value. @throws {FailedResultError} for one that counts as a failure */
  succeeded<T>(call: Call<T>, value: T): void {
    if (this.#options.failedResult) this.#checkResult(call, value);
    call.stage = undefined;
    this.#reporter.counters.attempts.success += 1;
    this.#gates.breaker?.report(call.permit, 'success', call.running);
    const { span } = call;
    if (!span || (call.attempts === 1 && !this.#options.spanForEveryAttempt)) return;
    this.#reporter.safely(() => span.endAttempt('success', undefined));
  }

  /** The function failed. @returns the wait before it runs again @throws the error where it does not */
  failed<T>(call: Call<T>, error: unknown): Wait {
    call.stage = undefined;
    const outcome = outcomeOf(call);
    call.lastOutcome = outcome;
    call.lastError = error;
    this.#reporter.counters.attempts[outcome] += 1;
    this.#tellTimeout(call, outcome, error);
    this.#reportToPolicies(call, outcome, error);
    const now = this.#clock.now();
    const delayMs = this.#decide(call, error, now);
    this.#trace(call, outcome, error, now, delayMs !== undefined);
    if (delayMs === undefined) throw error;
    this.#reporter.tell({ type: 'retry.scheduled', attempt: call.attempts, delayMs, error }, call);
    return new Wait(this.#clock, delayMs);
  }

  /** The attempt is over, however it ended. */
  end<T>(call: Call<T>): void {
    if (call.execution) this.#deadlines.disarm(call.execution);
  }

  /** @returns the time on the clock when the backoff is over @throws what interrupted it */
  async waitForNext<T>(call: Call<T>, backoff: Wait): Promise<number> {
    const since = this.#clock.now();
    call.enter(backoff);
    try {
      await backoff.granted;
    } catch (error) {
      this.#suppressed(call, interruptionReason(call), call.lastError);
      throw error;
    } finally {
      call.stage = undefined;
      this.#reporter.waited('retry', this.#clock.now() - since);
    }
    return this.#clock.now();
  }

  #execute<T>(call: Call<T>, execution: Execution<T>, context: ExecutionContext): PromiseLike<T> | T {
    if (!this.#tellsInner && !call.signal) {
      // Nothing can interrupt this run: nobody has to be told in its place.
      return call.ambient ? execution.start(call.fn, context) : call.fn(context);
    }
    const frame = new Frame(
      this.#clock,
      call,
      execution,
      call.idempotent && call.attempts <= this.#retries,
      context,
    );
    return runInside(frame, () => execution.start(call.fn, context));
  }

  /** A filter that throws means a failure, as that of a breaker, and one that is not retried, as with that of a retry. */
  #checkResult<T>(call: Call<T>, value: T): void {
    let judging: { readonly cause?: unknown } = {};
    try {
      if (!this.#options.failedResult?.(value as never)) return;
    } catch (cause) {
      judging = { cause };
      this.#reporter.warnOnce('failedResult', () => {
        const remedy = 'Values that it cannot judge count as failures, and are not retried.';
        return `\`failedResult\` threw in \`${call.operation}\`: ${errorLine(cause)} ${remedy}`;
      });
    }
    call.failedResult = new FailedResultError(value, { guard: this.#reporter.name }, judging);
    throw call.failedResult;
  }

  #tellTimeout<T>(call: Call<T>, outcome: FailedOutcome, error: unknown): void {
    if (outcome === 'failure') return;
    if (outcome === 'timeout' && error instanceof TimeoutError) {
      this.#reporter.tell({ type: 'timeout', scope: error.scope, timeoutMs: error.timeoutMs }, call);
    }
    if (call.execution?.interrupted && !call.execution.isSignalTaken) this.#reporter.signalIgnored(call);
  }

  #reportToPolicies<T>(call: Call<T>, outcome: FailedOutcome, error: unknown): void {
    const { breaker, limiter } = this.#gates;
    if (breaker) {
      const interrupted = outcome === 'timeout' && !isLoopDelay(error) ? 'failure' : 'neutral';
      const result = outcome === 'failure' ? breaker.resultOf(error) : interrupted;
      breaker.report(call.permit, result, call.running);
    }
    if (limiter && outcome === 'failure' && !isRejection(error)) {
      const askedMs = retryAfterOf(error, this.#clock.epoch());
      if (askedMs !== undefined) limiter.slowDown(askedMs);
    }
  }

  /** @returns the delay before the next attempt in milliseconds; `undefined` where there is none */
  #decide<T>(call: Call<T>, error: unknown, now: number): number | undefined {
    if (!this.#retry) return undefined;
    if (call.interruption) {
      if (call.attempts <= this.#retries) this.#suppressed(call, interruptionReason(call), error);
      return undefined;
    }
    if (error instanceof FailedResultError && 'cause' in error) {
      this.#suppressed(call, 'not_retryable', error);
      return undefined;
    }
    call.schedule ??= this.#retry.schedule();
    const decision = call.schedule.decide({
      error,
      attempt: call.attempts - 1,
      remainingMs: call.remainingMs(this.#clock, now),
      signal: call.signal,
      idempotent: call.idempotent,
      nested: call.ambient?.retries ?? false,
    });
    if (decision.retry) return decision.delayMs;
    if (decision.reason !== 'exhausted') this.#suppressed(call, decision.reason, error);
    return undefined;
  }

  #suppressed<T>(call: Call<T>, reason: SuppressionReason, error: unknown): void {
    call.suppressed = { policy: 'retry', reason };
    this.#reporter.counters.suppressed[reason] += 1;
    this.#reporter.tell({ type: 'retry.suppressed', reason, error }, call);
  }

  #trace<T>(call: Call<T>, outcome: FailedOutcome, error: unknown, now: number, isFollowed: boolean): void {
    const { span } = call;
    if (!span) return;
    this.#reporter.safely(() => {
      if (span.endAttempt(outcome, error) || !isFollowed) return;
      const epoch = this.#clock.epoch();
      span.recordAttempt(call.attempts - 1, epoch - (now - call.executionStartedAt), epoch, outcome, error);
    });
  }
}

function outcomeOf<T>(call: Call<T>): FailedOutcome {
  if (call.interruption?.by === 'caller') return 'cancelled';
  return call.execution?.interrupted ? 'timeout' : 'failure';
}

function interruptionReason<T>(call: Call<T>): SuppressionReason {
  return call.interruption?.by === 'caller' ? 'cancelled' : 'deadline';
}
