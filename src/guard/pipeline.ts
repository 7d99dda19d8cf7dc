import type { Clock } from '../core/clock.ts';
import type { Deadline, DeadlineList, Deadlines } from '../core/deadlines.ts';
import { deadlinesFor, LATE_MS } from '../core/deadlines.ts';
import type { ErrorSource } from '../core/errors.ts';
import { FailedResultError, RejectedError, TimeoutError } from '../core/errors.ts';
import { Execution, isThenable } from '../core/execution.ts';
import type { PolicyName, SuppressionReason } from '../core/outcome.ts';
import type { Random } from '../core/random.ts';
import { Wait } from '../core/wait.ts';
import { Breaker } from '../policies/breaker/index.ts';
import type { Waiter } from '../policies/bulkhead/index.ts';
import { Bulkhead } from '../policies/bulkhead/index.ts';
import { Retry } from '../policies/retry/index.ts';
import { runInside } from './ambient.ts';
import type { Call, FailedOutcome } from './call.ts';
import { ExecutionContext, Frame } from './call.ts';
import type { ResolvedGuard } from './options.ts';
import type { Reporter } from './reporter.ts';

/**
 * Takes a call through the policies, outermost first: total timeout, retry, breaker check, bulkhead, breaker permit, attempt timeout, call.
 * The permit is taken after the wait for a slot, so that a queue never drains into a circuit that opened meanwhile.
 */
export class Pipeline {
  readonly breaker: Breaker | undefined;
  readonly bulkhead: Bulkhead | undefined;
  readonly #retry: Retry | undefined;
  readonly #retries: number;
  readonly #attemptTimeout: DeadlineList | undefined;
  readonly #totalTimeout: DeadlineList | undefined;
  readonly #attemptExpired: (execution: Deadline) => TimeoutError;
  readonly #spanForEveryAttempt: boolean;
  readonly #failedResult: ((value: never) => boolean) | undefined;
  readonly #tellsInner: boolean;
  readonly #deadlines: Deadlines;
  readonly #clock: Clock;
  readonly #reporter: Reporter;

  constructor(options: ResolvedGuard, reporter: Reporter, clock: Clock, random: Random) {
    const source = { guard: reporter.name };
    this.#clock = clock;
    this.#reporter = reporter;
    this.#retries = options.retry?.retries ?? 0;
    if (options.retry) this.#retry = new Retry(options.retry, clock, random);
    this.#failedResult = options.failedResult;
    this.#spanForEveryAttempt = options.spanForEveryAttempt;
    this.#deadlines = deadlinesFor(clock);
    if (options.breaker) {
      const tell = (from: Breaker['state'], to: Breaker['state']): void =>
        reporter.transition({ type: 'breaker.transition', from, to });
      this.breaker = new Breaker(options.breaker, { clock, random, onTransition: tell, source });
    }
    if (options.bulkhead) this.bulkhead = new Bulkhead(options.bulkhead, clock, source);
    const { attemptMs, totalMs } = options.timeout;
    if (attemptMs !== undefined) this.#attemptTimeout = this.#deadlines.list(attemptMs);
    if (totalMs !== undefined) this.#totalTimeout = this.#deadlines.list(totalMs);
    this.#attemptExpired = ({ dueAt }) =>
      timeoutError('attempt', attemptMs ?? Number.NaN, source, clock.now() - dueAt);
    this.#tellsInner = options.retry !== undefined || attemptMs !== undefined || totalMs !== undefined;
  }

  /** Takes the call to its end and reports it. @throws what `guard.run` throws */
  async run<T>(call: Call<T>): Promise<T> {
    this.#reporter.counters.inFlight += 1;
    let now = this.#clock.now();
    call.startedAt = now;
    try {
      call.follow();
      this.#retry?.call(now);
      if (this.#totalTimeout) this.#deadlines.arm(this.#totalTimeout, call, now);
      for (;;) {
        const refusal = this.breaker?.refusal(now);
        if (refusal) now = await this.#waitForDecision(call, refusal);
        const waiter = this.#enter(call);
        if (waiter) now = await this.#waitForSlot(call, waiter);
        let backoff: Wait;
        try {
          const result = this.#start(call, now);
          const value = isThenable(result) ? await result : result;
          if (this.#failedResult) this.#checkResult(value);
          this.#attemptSucceeded(call);
          this.#reporter.settle(call, 'success', undefined);
          return value;
        } catch (error) {
          backoff = this.#attemptFailed(call, error);
        } finally {
          if (call.execution) this.#deadlines.disarm(call.execution);
          this.bulkhead?.leave();
        }
        now = await this.#waitForRetry(call, backoff);
      }
    } catch (error) {
      const thrown = this.#settleWithoutValue(call, error);
      if (thrown instanceof FailedResultError) return thrown.value as T;
      throw thrown;
    } finally {
      this.#deadlines.disarm(call);
      call.unfollow();
    }
  }

  /** Waits for the trials of a half-open circuit, where that is allowed. @returns the time on the clock @throws the refusal */
  async #waitForDecision<T>(call: Call<T>, refusal: RejectedError): Promise<number> {
    if (call.interruption) throw call.interruption.error;
    const wait = refusal.reason === 'half_open' ? this.breaker?.decisions.join() : undefined;
    if (!wait) throw this.#refused(call, refusal);
    const since = this.#clock.now();
    call.stage = wait;
    try {
      await wait.decided;
    } finally {
      call.stage = undefined;
      this.#countWait('breaker', this.#clock.now() - since);
    }
    const now = this.#clock.now();
    const again = this.breaker?.refusal(now);
    if (again) throw this.#refused(call, again);
    return now;
  }

  /** Takes a slot, or a place in the queue. @throws what forbids it */
  #enter<T>(call: Call<T>): Waiter | undefined {
    if (call.interruption) throw call.interruption.error;
    if (!this.bulkhead || this.bulkhead.tryEnter()) return undefined;
    const waiter = this.bulkhead.enqueue();
    if (waiter instanceof RejectedError) throw this.#refused(call, waiter);
    return waiter;
  }

  /** @returns the time on the clock when the call has its slot */
  async #waitForSlot<T>(call: Call<T>, waiter: Waiter): Promise<number> {
    const since = this.#clock.now();
    call.stage = waiter;
    try {
      await waiter.granted;
    } catch (error) {
      throw error instanceof RejectedError ? this.#refused(call, error) : error;
    } finally {
      call.stage = undefined;
      this.#countWait('bulkhead', this.#clock.now() - since);
    }
    if (call.interruption) {
      this.bulkhead?.leave();
      throw call.interruption.error;
    }
    return this.#clock.now();
  }

  /** Calls the function. @throws what it throws at once, and the refusal of a breaker that opened during the wait */
  #start<T>(call: Call<T>, now: number): PromiseLike<T> | T {
    if (this.breaker) {
      const permit = this.breaker.acquire(now);
      if (permit instanceof RejectedError) throw this.#refused(call, permit);
      call.permit = permit;
      call.running = this.breaker.watch(permit, now);
    }
    const attempt = call.attempts;
    const execution = new Execution<T>(this.#reporter.counters, this.#attemptExpired);
    const context = new ExecutionContext(attempt, call, execution);
    call.attempts = attempt + 1;
    call.execution = execution;
    call.executionStartedAt = now;
    call.stage = execution;
    if (this.#attemptTimeout) this.#deadlines.arm(this.#attemptTimeout, execution, now);
    const { span } = call;
    if (span && (attempt > 0 || this.#spanForEveryAttempt)) {
      this.#reporter.safely(() => span.openAttempt(attempt));
      return span.runAttempt(() => this.#execute(call, execution, context));
    }
    return this.#execute(call, execution, context);
  }

  #execute<T>(call: Call<T>, execution: Execution<T>, context: ExecutionContext): PromiseLike<T> | T {
    if (!this.#tellsInner && !call.signal) return execution.start(call.fn, context);
    const frame = new Frame(this.#clock, call, execution, call.attempts <= this.#retries);
    return runInside(frame, () => execution.start(call.fn, context));
  }

  /** @throws {FailedResultError} for a value that counts as a failure; a filter that throws means that it does not */
  #checkResult(value: unknown): void {
    let failed = false;
    try {
      failed = this.#failedResult?.(value as never) ?? false;
    } catch {
      return;
    }
    if (failed) throw new FailedResultError(value, { guard: this.#reporter.name });
  }

  #attemptSucceeded<T>(call: Call<T>): void {
    call.stage = undefined;
    this.#reporter.counters.attempts.success += 1;
    this.breaker?.report(call.permit, 'success', call.running);
    const { span } = call;
    if (span && (call.attempts > 1 || this.#spanForEveryAttempt))
      this.#reporter.safely(() => span.endAttempt('success', undefined));
  }

  /** Counts the attempt. @returns the wait before the next one @throws the error where none follows */
  #attemptFailed<T>(call: Call<T>, error: unknown): Wait {
    if (call.refusal) throw error;
    call.stage = undefined;
    const outcome = attemptOutcome(call);
    call.lastOutcome = outcome;
    call.lastError = error;
    this.#reporter.counters.attempts[outcome] += 1;
    if (outcome === 'timeout' && this.#reporter.isHeard && error instanceof TimeoutError) {
      this.#reporter.tell({ type: 'timeout', scope: error.scope, timeoutMs: error.timeoutMs }, call);
    }
    if (this.breaker) {
      const counts =
        outcome === 'failure' ? this.breaker.isFailure(error) : outcome === 'timeout' && !isLoopDelay(error);
      this.breaker.report(call.permit, counts ? 'failure' : 'neutral', call.running);
    }
    const now = this.#clock.now();
    const delayMs = this.#decideRetry(call, error, now);
    this.#traceAttempt(call, outcome, error, now, delayMs !== undefined);
    if (delayMs === undefined) throw error;
    this.#reporter.counters.retries += 1;
    this.#reporter.tell({ type: 'retry.scheduled', attempt: call.attempts, delayMs, error }, call);
    return new Wait(this.#clock, delayMs);
  }

  /** @returns the delay before the next attempt in milliseconds; `undefined` where there is none */
  #decideRetry<T>(call: Call<T>, error: unknown, now: number): number | undefined {
    if (!this.#retry) return undefined;
    if (call.interruption) {
      if (call.attempts <= this.#retries) this.#suppressed(call, interruptionReason(call), error);
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

  /** @returns the time on the clock when the backoff is over */
  async #waitForRetry<T>(call: Call<T>, backoff: Wait): Promise<number> {
    const since = this.#clock.now();
    call.stage = backoff;
    try {
      await backoff.promise;
    } catch (error) {
      this.#suppressed(call, interruptionReason(call), call.lastError);
      throw error;
    } finally {
      call.stage = undefined;
      this.#countWait('retry', this.#clock.now() - since);
    }
    return this.#clock.now();
  }

  #traceAttempt<T>(
    call: Call<T>,
    outcome: FailedOutcome,
    error: unknown,
    now: number,
    isFollowed: boolean,
  ): void {
    const { span } = call;
    if (!span) return;
    this.#reporter.safely(() => {
      if (span.endAttempt(outcome, error) || !isFollowed) return;
      const epoch = this.#clock.epoch();
      span.recordAttempt(call.attempts - 1, epoch - (now - call.executionStartedAt), epoch, outcome, error);
    });
  }

  /** Notes that one of the guard's own policies stops the call here. */
  #refused<T>(call: Call<T>, refusal: RejectedError): RejectedError {
    const { source, reason, retryAfterMs } = refusal;
    const policy = source.policy ?? 'timeout';
    call.refusal = refusal;
    if (call.attempts > 0) call.suppressed = { policy, reason };
    this.#reporter.counters.rejections[`${policy}/${reason}`] =
      (this.#reporter.counters.rejections[`${policy}/${reason}`] ?? 0) + 1;
    this.#reporter.tell({ type: 'rejected', policy, reason, retryAfterMs }, call);
    return refusal;
  }

  #suppressed<T>(call: Call<T>, reason: SuppressionReason, error: unknown): void {
    call.suppressed = { policy: 'retry', reason };
    this.#reporter.counters.suppressed[reason] += 1;
    this.#reporter.tell({ type: 'retry.suppressed', reason, error }, call);
  }

  #countWait(policy: PolicyName, ms: number): void {
    const { waitMs } = this.#reporter.counters;
    waitMs[policy] = (waitMs[policy] ?? 0) + ms;
  }

  /** Settles a call that has no value. @returns what is thrown to the caller */
  #settleWithoutValue<T>(call: Call<T>, error: unknown): unknown {
    if (call.interruption?.by === 'caller') {
      this.#reporter.settle(call, 'cancelled', error);
      return error;
    }
    if (call.lastOutcome) {
      // The function ran: its own error stands, whatever refused to run it once more.
      this.#reporter.settle(call, call.lastOutcome, call.lastError);
      return call.lastError;
    }
    const refusal = call.refusal ?? this.#refused(call, deadlineRejection(this.#reporter.name, error));
    this.#reporter.settle(call, 'rejected', refusal);
    return refusal;
  }
}

/** A timer that fired late tells of the event loop, not of the dependency. */
function timeoutError(
  scope: 'attempt',
  timeoutMs: number,
  source: ErrorSource,
  lateMs: number,
): TimeoutError {
  return new TimeoutError(scope, timeoutMs, source, lateMs > LATE_MS ? lateMs : 0);
}

function isLoopDelay(error: unknown): boolean {
  return error instanceof TimeoutError && error.lateByMs > 0;
}

function attemptOutcome<T>(call: Call<T>): FailedOutcome {
  if (call.interruption?.by === 'caller') return 'cancelled';
  return call.execution?.interrupted ? 'timeout' : 'failure';
}

function interruptionReason<T>(call: Call<T>): SuppressionReason {
  return call.interruption?.by === 'caller' ? 'cancelled' : 'deadline';
}

function deadlineRejection(guard: string, cause: unknown): RejectedError {
  const message = 'The time of the call was over before the function could be called.';
  return new RejectedError('ERR_KEELSON_DEADLINE', 'deadline', message, {
    cause,
    source: { guard, policy: 'timeout' },
    hint: 'It waited for a slot until `timeout.total`: shed load, raise `bulkhead.concurrent`, or set a shorter `bulkhead.queueTimeout`.',
  });
}
