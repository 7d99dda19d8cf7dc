import type { Event, IPolicy, IRetryContext } from 'cockatiel';
import { discard } from '../../core/discard.ts';
import { Listeners } from '../../core/events.ts';
import { OptionChecker } from '../../core/options.ts';
import { systemRandom } from '../../core/random.ts';
import { systemClock } from '../../core/time/clock.ts';
import { Wait } from '../../core/time/wait.ts';
import { asEvent, PolicyEvents } from '../policy-events.ts';
import type { PolicyPorts } from '../standalone.ts';
import { onAbort, warnerOf } from '../standalone.ts';
import type { RetryOptions } from './options.ts';
import { resolveRetry } from './options.ts';
import { Retry } from './retry.ts';

/** Tells that an attempt failed and another follows. */
export interface RetryScheduled {
  /** 1 for the first retry. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly error: unknown;
}

/** A retry as a policy of its own. */
export interface RetryPolicy extends IPolicy<IRetryContext> {
  /** Told before each wait. */
  readonly onRetry: Event<RetryScheduled>;
}

/**
 * A retry that mixes in cockatiel's `wrap`. An abort ends the wait at once and starts no further attempt.
 * @throws {ConfigError} for options that cannot be used
 */
export function retry(
  options: RetryOptions = {},
  { clock = systemClock, random = systemRandom }: PolicyPorts = {},
): RetryPolicy {
  const check = new OptionChecker('retry');
  const resolved = resolveRetry(options, check);
  check.done();
  const mechanism = new Retry(resolved, clock, random, warnerOf('retry'));
  const events = new PolicyEvents(clock);
  const retries = new Listeners<RetryScheduled>();

  async function run<T>(
    fn: (context: IRetryContext) => PromiseLike<T> | T,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<T> {
    mechanism.call(clock.now());
    const schedule = mechanism.schedule();
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await fn({ attempt, signal });
      } catch (error) {
        signal.throwIfAborted();
        const decision = schedule.decide({
          error,
          attempt,
          remainingMs: undefined,
          signal,
          idempotent: true,
          requests: undefined,
          nested: () => false,
        });
        if (!decision.retry) throw error;
        if (retries.size > 0) retries.emit({ attempt: attempt + 1, delayMs: decision.delayMs, error });
        const wait = new Wait(clock, decision.delayMs);
        const stopListening = onAbort(signal, (reason) => wait.interrupt(reason));
        void discard(error, clock);
        await wait.granted.finally(stopListening);
      }
    }
  }

  return {
    _altReturn: undefined as never,
    onSuccess: events.onSuccess,
    onFailure: events.onFailure,
    onRetry: asEvent(retries),
    execute: (fn, signal) =>
      events.watch(
        () => run(fn, signal),
        () => true,
      ),
  };
}
