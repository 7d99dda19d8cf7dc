import { errorLine } from '../../core/error-line.ts';
import { FailedResultError, isLoopDelay, isRejection, TimeoutError } from '../../core/errors.ts';
import { Execution } from '../../core/execution.ts';
import { askFilter } from '../../core/filter.ts';
import type { SuppressionReason } from '../../core/outcome.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { DeadlineList } from '../../core/time/deadline-node.ts';
import type { Deadlines } from '../../core/time/deadlines.ts';
import { deadlinesFor, loopDelayMs } from '../../core/time/deadlines.ts';
import { Wait } from '../../core/time/wait.ts';
import { fallsBack } from '../../policies/fallback/index.ts';
import type { FailedAttempt, Retry } from '../../policies/retry/index.ts';
import { attemptEnded, pauseAskedBy, takeNotSent, watchRequests } from '../../policies/retry/index.ts';
import type { ResolvedGuard } from '../options/options.ts';
import type { PipelineMechanisms } from '../options/policies.ts';
import { detached, runInside } from './ambient.ts';
import { Attempt } from './attempt.ts';
import type { FailedOutcome } from './call.ts';
import { Call, ExecutionContext, Frame } from './call.ts';
import type { Reporter } from './reporter.ts';

/** Runs the function of a call, judges how it ended, and decides whether it runs once more. */
export class Attempts {
  readonly #gates: PipelineMechanisms;
  readonly #options: ResolvedGuard;
  readonly #retry: Retry | undefined;
  readonly #retries: number;
  readonly #timeout: DeadlineList | undefined;
  readonly #expired: (lateMs: number, operation: string) => TimeoutError;
  /** Whether guards inside have anything to learn from this one. */
  readonly #tellsInner: boolean;
  readonly #deadlines: Deadlines;
  readonly #clock: Clock;
  readonly #reporter: Reporter;

  constructor(options: ResolvedGuard, gates: PipelineMechanisms, reporter: Reporter, clock: Clock) {
    const { retry, timeout } = options;
    this.#options = options;
    this.#gates = gates;
    this.#reporter = reporter;
    this.#clock = clock;
    this.#retries = retry?.retries ?? 0;
    this.#retry = gates.retry;
    this.#deadlines = deadlinesFor(clock);
    const attemptMs = timeout?.attemptMs;
    if (attemptMs !== undefined) this.#timeout = this.#deadlines.list(attemptMs);
    this.#expired = (lateMs, operation) => {
      const source = { guard: reporter.name, operation };
      // A timer that fired late tells of the event loop, not of the dependency.
      return new TimeoutError('attempt', attemptMs ?? Number.NaN, source, loopDelayMs(lateMs));
    };
    this.#tellsInner =
      retry !== undefined ||
      timeout?.attemptMs !== undefined ||
      timeout?.totalMs !== undefined ||
      (options.bulkhead?.queue ?? 0) > 0;
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
    const execution = new Execution<undefined>({ abandoned: 0 }, this.#expired, '', call);
    const context = new ExecutionContext(0, call, execution);
    return [
      call,
      new Attempt(call),
      execution,
      context,
      new Frame(this.#clock, call, execution, this, context),
    ];
  }

  /** The bulkhead whose slot an execution holds. */
  get slots(): object | undefined {
    return this.#gates.bulkhead;
  }

  /** A call has come. */
  begin(now: number): void {
    this.#retry?.call(now);
  }

  /** Calls the function. @throws what it throws at once */
  start<T>(attempt: Attempt<T>, now: number): PromiseLike<T> | T {
    const { call } = attempt;
    const number = call.attempts;
    const execution = new Execution<T>(this.#reporter.counters, this.#expired, call.operation, call);
    const context = new ExecutionContext(number, call, execution);
    call.attempts = number + 1;
    if (number > 0) this.#reporter.counters.retries += 1;
    attempt.number = number;
    attempt.execution = execution;
    attempt.startedAt = now;
    attempt.enter(execution);
    if (this.#timeout) this.#deadlines.arm(this.#timeout, execution, now);
    if (call.idempotent) return this.#launch(call, execution, context);
    // Whoever marked the error before has spoken for all that was sent until then.
    const before = call.isMarkedUnsent ? undefined : call.requests;
    call.requests = undefined;
    if (number >= this.#retries) return this.#launch(call, execution, context);
    return watchRequests(before, (requests) => {
      call.requests = requests;
      return this.#launch(call, execution, context);
    });
  }

  #launch<T>(call: Call<T>, execution: Execution<T>, context: ExecutionContext): PromiseLike<T> | T {
    const { span } = call;
    const number = call.attempts - 1;
    if (span && (number > 0 || this.#options.spanForEveryAttempt)) {
      this.#reporter.safely(() => span.openAttempt(number));
      return span.runAttempt(() => this.#execute(call, execution, context));
    }
    return this.#execute(call, execution, context);
  }

  /** The function gave a value. @throws {FailedResultError} for one that counts as a failure */
  succeeded<T>(attempt: Attempt<T>, value: T): void {
    const { call } = attempt;
    if (this.#options.failedResult) this.#checkResult(call, value);
    attempt.leave();
    this.#reporter.counters.attempts.success += 1;
    this.#gates.breaker?.report(attempt.permit, 'success', attempt.running);
    const { span } = call;
    if (!span || (call.attempts === 1 && !this.#options.spanForEveryAttempt)) return;
    this.#reporter.safely(() => span.endAttempt('success', undefined));
  }

  /** The function failed. @returns the wait before it runs again @throws the error if it does not */
  failed<T>(attempt: Attempt<T>, error: unknown): Wait {
    attempt.leave();
    const { call } = attempt;
    const outcome = attempt.failedOutcome;
    call.lastOutcome = outcome;
    call.lastError = error;
    if (call.requests) attemptEnded(call.requests, error);
    this.#reporter.counters.attempts[outcome] += 1;
    this.#tellTimeout(attempt, outcome, error);
    const isPaused = this.#reportToPolicies(attempt, outcome, error);
    const now = this.#clock.now();
    const delayMs = this.#decide(call, error, now);
    if (!call.idempotent) call.isMarkedUnsent = takeNotSent(error);
    this.#trace(attempt, outcome, error, now, delayMs !== undefined);
    if (delayMs === undefined) throw error;
    if (isPaused) {
      // The limit pauses because of this call: its retry must not find that others were first, or that it may not wait.
      this.#gates.rateLimit?.keep();
      call.keepsToken = true;
    }
    this.#reporter.tell({ type: 'retry.scheduled', attempt: call.attempts, delayMs, error }, call);
    return new Wait(this.#clock, delayMs);
  }

  /** The attempt is over, however it ended. */
  end<T>({ execution }: Attempt<T>): void {
    if (execution) this.#deadlines.disarm(execution);
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
    if (!this.#mayRepeat(call)) {
      this.#suppressed(call, 'not_idempotent', call.lastError);
      throw call.lastError;
    }
    return this.#clock.now();
  }

  /** Asked again after the wait: code that the last run left behind may have sent something meanwhile. */
  #mayRepeat<T>(call: Call<T>): boolean {
    return call.idempotent || call.isMarkedUnsent || call.requests?.sentNothing === true;
  }

  #execute<T>(call: Call<T>, execution: Execution<T>, context: ExecutionContext): PromiseLike<T> | T {
    if (!this.#tellsInner && !call.signal && call.idempotent) {
      // Nothing can interrupt this run: nobody has to be told in its place.
      if (!call.inherits) return detached(() => call.fn(context));
      return call.ambient ? execution.start(call.fn, context) : call.fn(context);
    }
    const frame = new Frame(this.#clock, call, execution, this, context);
    return runInside(frame, () => execution.start(call.fn, context));
  }

  /** A filter that throws means a failure, as that of a breaker, and one that is not retried, as with that of a retry. */
  #checkResult<T>(call: Call<T>, value: T): void {
    let judging: { readonly cause?: unknown } = {};
    try {
      const { failedResult } = this.#options;
      if (!failedResult || !askFilter(failedResult, value as never, 'failedResult')) return;
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

  #tellTimeout<T>({ call, execution }: Attempt<T>, outcome: FailedOutcome, error: unknown): void {
    if (outcome === 'failure') return;
    if (outcome === 'timeout' && error instanceof TimeoutError) {
      this.#reporter.tell({ type: 'timeout', scope: error.scope, timeoutMs: error.timeoutMs }, call);
    }
    if (execution?.interrupted && !execution.isSignalTaken) this.#reporter.signalIgnored(call);
  }

  /** @returns whether the server asked the rate limit for a pause */
  #reportToPolicies<T>({ permit, running }: Attempt<T>, outcome: FailedOutcome, error: unknown): boolean {
    const { breaker, rateLimit } = this.#gates;
    if (breaker) {
      const interrupted = outcome === 'timeout' && !isLoopDelay(error) ? 'failure' : 'neutral';
      const result = outcome === 'failure' ? breaker.resultOf(error) : interrupted;
      this.#reporter.blamed = error;
      breaker.report(permit, result, running);
      this.#reporter.blamed = undefined;
    }
    if (!rateLimit || outcome !== 'failure' || isRejection(error)) return false;
    const askedMs = pauseAskedBy(error, this.#clock.epoch());
    if (askedMs === undefined || askedMs === 0) return false;
    rateLimit.slowDown(askedMs);
    return true;
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
    const decision = call.schedule.decide(this.#failedAttempt(call, error, now));
    if (decision.retry) return decision.delayMs;
    const { reason, retryAfterMs } = decision;
    if (reason !== 'exhausted') this.#suppressed(call, reason, error, retryAfterMs);
    return undefined;
  }

  /**
   * Whether the call would have another attempt if its function threw `error` now. A call that is not idempotent counts as one that would not: nobody can say before
   * its function has ended whether anything was sent.
   */
  wouldRetry<T>(call: Call<T>, error: unknown): boolean {
    if (!this.#retry || call.interruption) return false;
    if (error instanceof FailedResultError && !this.#failsWith(error.value)) return false;
    call.schedule ??= this.#retry.schedule();
    return call.schedule.wouldRetry(this.#failedAttempt(call, error, this.#clock.now()));
  }

  /** Whether this guard too takes the value as a failure: a guard inside gives it back as a value. */
  #failsWith(value: unknown): boolean {
    try {
      return this.#options.failedResult?.(value as never) ?? false;
    } catch {
      return false;
    }
  }

  #failedAttempt<T>(call: Call<T>, error: unknown, now: number): FailedAttempt {
    return {
      error,
      attempt: call.attempts - 1,
      remainingMs: call.remainingMs(this.#clock, now),
      signal: call.signal,
      idempotent: call.idempotent,
      requests: call.requests,
      nested: (thrown) => !this.#answers(call, thrown) && (call.ambient?.wouldRetry(thrown) ?? false),
    };
  }

  /** Whether the fallback of this guard answers in place of the error: a guard around it then sees none. */
  #answers<T>({ lastOutcome = 'failure' }: Call<T>, error: unknown): boolean {
    const { fallback } = this.#options;
    return fallback !== undefined && fallsBack(fallback, error, lastOutcome);
  }

  #suppressed<T>(call: Call<T>, reason: SuppressionReason, error: unknown, retryAfterMs?: number): void {
    const asked = retryAfterMs === undefined ? {} : { retryAfterMs };
    call.suppressed = { policy: 'retry', reason, ...asked };
    this.#reporter.counters.suppressed[reason] += 1;
    this.#reporter.tell({ type: 'retry.suppressed', reason, error, ...asked }, call);
  }

  #trace<T>(
    attempt: Attempt<T>,
    outcome: FailedOutcome,
    error: unknown,
    now: number,
    isFollowed: boolean,
  ): void {
    const { span } = attempt.call;
    if (!span) return;
    this.#reporter.safely(() => {
      if (span.endAttempt(outcome, error) || !isFollowed) return;
      const epoch = this.#clock.epoch();
      span.recordAttempt(attempt.number, epoch - (now - attempt.startedAt), epoch, outcome, error);
    });
  }
}

function interruptionReason<T>(call: Call<T>): SuppressionReason {
  return call.interruption?.by === 'caller' ? 'cancelled' : 'deadline';
}
