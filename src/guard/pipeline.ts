import type { Clock } from '../core/clock.ts';
import type { DeadlineList } from '../core/deadline-node.ts';
import type { Deadlines } from '../core/deadlines.ts';
import { deadlinesFor } from '../core/deadlines.ts';
import { RejectedError } from '../core/errors.ts';
import { isThenable } from '../core/execution.ts';
import type { Wait } from '../core/wait.ts';
import { Breaker } from '../policies/breaker/index.ts';
import { Bulkhead } from '../policies/bulkhead/index.ts';
import type { Limiter } from '../policies/rate-limit/index.ts';
import { limiterFor } from '../policies/rate-limit/index.ts';
import { Admission } from './admission.ts';
import { Attempts } from './attempts.ts';
import type { Call } from './call.ts';
import type { ResolvedGuard } from './options.ts';
import { sameOptions } from './options.ts';
import type { Reporter, Seats } from './reporter.ts';

/**
 * Takes a call through the policies, outermost first: total timeout, retry, breaker check, rate limit, bulkhead, breaker permit, attempt
 * timeout, call.
 */
export class Pipeline {
  readonly breaker: Breaker | undefined;
  readonly limiter: Limiter | undefined;
  readonly bulkhead: Bulkhead | undefined;
  readonly #options: ResolvedGuard;
  readonly #admission: Admission;
  readonly #attempts: Attempts;
  readonly #totalTimeout: DeadlineList | undefined;
  readonly #deadlines: Deadlines;
  readonly #clock: Clock;
  readonly #reporter: Reporter;

  /**
   * @param key the key of a keyed guard: its state in a shared store is its own
   * @param before the pipeline that this one follows: policies whose options are the same go on as they are
   */
  constructor(
    options: ResolvedGuard,
    reporter: Reporter,
    { clock, random }: Pick<Seats, 'clock' | 'random'>,
    key?: string,
    before?: Pipeline,
  ) {
    const source = { guard: reporter.name };
    this.#clock = clock;
    this.#reporter = reporter;
    this.#deadlines = deadlinesFor(clock);
    this.#options = options;
    if (before?.breaker && sameOptions(before.#options.breaker, options.breaker))
      this.breaker = before.breaker;
    else if (options.breaker) {
      const onTransition = (from: Breaker['state'], to: Breaker['state']): void =>
        reporter.transition({ type: 'breaker.transition', from, to, ...(key === undefined ? {} : { key }) });
      const saved = before?.breaker?.toJSON();
      before?.breaker?.retire();
      this.breaker = new Breaker(options.breaker, {
        clock,
        random,
        onTransition,
        source,
        ...(saved && { saved }),
      });
    }
    if (before?.limiter && sameOptions(before.#options.rateLimit, options.rateLimit))
      this.limiter = before.limiter;
    else if (options.rateLimit) {
      const storeKey = key === undefined ? reporter.name : `${reporter.name}/${key}`;
      this.limiter = limiterFor(options.rateLimit, clock, {
        source,
        key: storeKey,
        random,
        watch: reporter.limiterStore,
      });
    }
    if (before?.bulkhead && sameOptions(before.#options.bulkhead, options.bulkhead))
      this.bulkhead = before.bulkhead;
    else if (options.bulkhead) this.bulkhead = new Bulkhead(options.bulkhead, clock, source);
    const { totalMs } = options.timeout;
    if (totalMs !== undefined) this.#totalTimeout = this.#deadlines.list(totalMs);
    this.#admission = new Admission(this, clock, reporter);
    this.#attempts = new Attempts(options, this, reporter, clock, random);
  }

  /**
   * Takes the call to its end.
   * @param reports whether this is all of the call; otherwise a cache or a fallback around it reports how it ended
   * @throws what `guard.run` throws
   */
  async run<T>(call: Call<T>, reports: boolean): Promise<T> {
    let now = this.#clock.now();
    if (reports) this.#reporter.begin(call, now);
    try {
      call.follow();
      this.#attempts.begin(now);
      if (this.#totalTimeout) {
        call.totalMs = this.#totalTimeout.durationMs;
        this.#deadlines.arm(this.#totalTimeout, call, now);
      }
      for (;;) {
        const entered = this.#admission.enter(call, now);
        if (typeof entered === 'number') now = entered;
        else {
          now = await entered;
          if (call.interruption) {
            this.#admission.abandon(call);
            throw call.interruption.error;
          }
        }
        let backoff: Wait;
        try {
          const result = this.#attempts.start(call, now);
          const value = isThenable(result) ? await result : result;
          this.#attempts.succeeded(call, value);
          if (reports) this.#reporter.settle(call, 'success', undefined);
          return value;
        } catch (error) {
          backoff = this.#attempts.failed(call, error);
        } finally {
          this.#attempts.end(call);
          this.#admission.leave();
        }
        now = await this.#attempts.waitForNext(call, backoff);
      }
    } catch (error) {
      const thrown = this.#end(call, error);
      if (!reports) throw thrown;
      this.#reporter.settle(call, call.outcome ?? 'failure', thrown);
      if (thrown !== undefined && thrown === call.failedResult) return call.failedResult.value as T;
      throw thrown;
    } finally {
      this.#deadlines.disarm(call);
      call.unfollow();
    }
  }

  /** Notes how a call without a value ended. @returns what is thrown to the caller */
  #end<T>(call: Call<T>, error: unknown): unknown {
    if (call.interruption?.by === 'caller') {
      call.outcome = 'cancelled';
      return call.interruption.error;
    }
    if (call.lastOutcome) {
      // The function ran: its own error stands, whatever refused to run it once more.
      call.outcome = call.lastOutcome;
      return call.lastError;
    }
    call.outcome = 'rejected';
    return call.refusal ?? this.#admission.refused(call, deadlineRejection(this.#reporter.name, error));
  }
}

function deadlineRejection(guard: string, cause: unknown): RejectedError {
  const message = 'The time of the call was over before the function could be called.';
  return new RejectedError('ERR_KEELSON_DEADLINE', 'deadline', message, {
    cause,
    source: { guard, policy: 'timeout' },
    hint: 'It waited for its turn until `timeout.total`: shed load, or bound the wait with `bulkhead.queueTimeout` or `rateLimit.maxWait`.',
  });
}
