import { ofGuard, RejectedError, showCaller, TimeoutError } from '../../core/errors.ts';
import { isThenable } from '../../core/execution.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { DeadlineList } from '../../core/time/deadline-node.ts';
import type { Deadlines } from '../../core/time/deadlines.ts';
import { deadlinesFor } from '../../core/time/deadlines.ts';
import type { Wait } from '../../core/time/wait.ts';
import type { PolicySupport } from '../../policies/facts.ts';
import { makeMechanisms } from '../options/mechanisms.ts';
import type { ResolvedGuard } from '../options/options.ts';
import type { PipelineMechanisms } from '../options/policies.ts';
import { Admission } from './admission.ts';
import { Attempt } from './attempt.ts';
import { Attempts } from './attempts.ts';
import type { Call } from './call.ts';
import { Discards } from './discards.ts';
import type { Reporter, Seats } from './reporter.ts';

/** Counts the calls that are on their way. */
export interface RunningCalls {
  running: number;
}

/**
 * Takes a call through the policies, outermost first: total timeout, retry, breaker check, rate limit, bulkhead, breaker permit, attempt
 * timeout, call.
 */
export class Pipeline {
  readonly mechanisms: PipelineMechanisms;
  /** The calls in these policies and those that they followed. */
  readonly calls: RunningCalls;
  readonly discards: Discards;
  readonly #options: ResolvedGuard;
  readonly #admission: Admission;
  readonly #attempts: Attempts;
  readonly #totalTimeout: DeadlineList | undefined;
  readonly #deadlines: Deadlines;
  readonly #clock: Clock;
  readonly #reporter: Reporter;

  /**
   * @param key the key of a keyed guard: its state in a shared store is its own
   * @param before the pipeline that this one follows: policies that have the very same options go on as they are
   */
  constructor(
    options: ResolvedGuard,
    reporter: Reporter,
    { clock, random }: Pick<Seats, 'clock' | 'random'>,
    key?: string,
    before?: Pipeline,
  ) {
    const { name, limiterStore } = reporter;
    const support: PolicySupport = {
      clock,
      random,
      source: { guard: name },
      key,
      limiterStore,
      onTransition: (from, to) =>
        reporter.transition({ type: 'breaker.transition', from, to, ...(key === undefined ? {} : { key }) }),
      warnOnce: (about, message) => reporter.warnOnce(about, message),
    };
    this.calls = before?.calls ?? { running: 0 };
    this.#clock = clock;
    this.#reporter = reporter;
    this.#deadlines = deadlinesFor(clock);
    this.#options = options;
    this.mechanisms = makeMechanisms(
      options,
      support,
      before && { options: before.#options, mechanisms: before.mechanisms },
    );
    const totalMs = options.timeout?.totalMs;
    if (totalMs !== undefined) this.#totalTimeout = this.#deadlines.list(totalMs);
    this.#admission = new Admission(this.mechanisms, clock, reporter);
    this.#attempts = new Attempts(options, this.mechanisms, reporter, clock);
    this.discards = new Discards(options.dispose, clock, reporter);
  }

  /**
   * Takes the call to its end.
   * @param reports whether this is all of the call; otherwise a cache or a fallback around it reports how it ended
   * @throws what `guard.run` throws
   */
  async run<T>(call: Call<T>, reports: boolean): Promise<T> {
    let now = this.#clock.now();
    let hasWaited = false;
    if (reports) this.#reporter.begin(call, now);
    this.calls.running += 1;
    call.discards = this.discards;
    try {
      call.follow();
      this.#attempts.begin(now);
      if (this.#totalTimeout) {
        call.totalMs = this.#totalTimeout.durationMs;
        this.#deadlines.arm(this.#totalTimeout, call, now);
      }
      for (;;) {
        const attempt = new Attempt(call);
        call.enter(attempt);
        const entered = this.#admission.enter(attempt, now);
        if (typeof entered === 'number') {
          now = entered;
          this.#admission.unkeepToken(call);
        } else {
          hasWaited = true;
          now = await entered;
          this.#admission.unkeepToken(call);
          if (call.interruption) {
            this.#admission.abandon(attempt);
            throw call.interruption.error;
          }
        }
        const freed = call.attempts > 0 ? this.discards.beforeNext(attempt) : undefined;
        if (freed) now = await this.#whenFreed(attempt, freed);
        let backoff: Wait;
        try {
          const result = this.#attempts.start(attempt, now);
          let value: T;
          if (isThenable(result)) {
            hasWaited = true;
            value = await result;
          } else {
            value = result;
          }
          this.#attempts.succeeded(attempt, value);
          if (reports) this.#reporter.settle(call, 'success', undefined);
          return value;
        } catch (error) {
          backoff = this.#attempts.failed(attempt, error);
        } finally {
          this.#attempts.end(attempt);
          this.#admission.leave();
        }
        now = await this.#attempts.waitForNext(call, backoff);
      }
    } catch (error) {
      const thrown = this.#errorFor(call, error);
      if (hasWaited && isOwnError(call, thrown)) showCaller(thrown);
      const outcome = call.conclude(thrown);
      if (!reports) throw thrown;
      this.#reporter.settle(call, outcome, thrown);
      if (thrown !== undefined && thrown === call.failedResult) return call.failedResult.value as T;
      throw thrown;
    } finally {
      this.calls.running -= 1;
      this.#admission.unkeepToken(call);
      this.#deadlines.disarm(call);
      call.unfollow();
    }
  }

  /** The attempt keeps its place while the connection of the last one becomes free. */
  async #whenFreed<T>(attempt: Attempt<T>, freed: Promise<void>): Promise<number> {
    await freed.catch(() => {});
    const { interruption } = attempt.call;
    if (!interruption) return this.#clock.now();
    this.#admission.abandon(attempt);
    throw interruption.error;
  }

  /** What is thrown to the caller of a call without a value: the reason of an abort, else the error of the last run, else the refusal. */
  #errorFor<T>(call: Call<T>, error: unknown): unknown {
    if (call.interruption?.by === 'caller') return call.interruption.error;
    if (call.lastOutcome) return call.lastError;
    return call.refusal ?? this.#admission.refused(call, deadlineRejection(call, this.#reporter.name, error));
  }
}

/** Whether Keelson has made the error for this call alone. */
function isOwnError<T>(call: Call<T>, thrown: unknown): thrown is Error {
  return (
    (call.refusal !== undefined && thrown === call.refusal) ||
    (call.lastOutcome === 'timeout' && call.interruption?.by !== 'caller' && thrown instanceof TimeoutError)
  );
}

function deadlineRejection<T>({ operation }: Call<T>, guard: string, cause: unknown): RejectedError {
  const sentence = `The time of the call of "${operation}" was over before the function could be called.`;
  const message = ofGuard({ guard }, sentence);
  return new RejectedError('ERR_KEELSON_DEADLINE', 'deadline', message, {
    cause,
    source: { guard, policy: 'timeout', operation },
    hint: 'It waited for its turn until `timeout.total`: shed load, or bound the wait with `bulkhead.queueTimeout` or `rateLimit.maxWait`.',
  });
}
