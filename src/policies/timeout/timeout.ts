import type { IDefaultPolicyContext, IPolicy } from 'cockatiel';
import { discard } from '../../core/discard.ts';
import { showCaller, TimeoutError } from '../../core/errors.ts';
import type { AbandonedCounter } from '../../core/execution.ts';
import { Execution } from '../../core/execution.ts';
import { OptionChecker } from '../../core/options.ts';
import { systemClock } from '../../core/time/clock.ts';
import { deadlinesFor, loopDelayMs } from '../../core/time/deadlines.ts';
import type { Duration } from '../../core/time/duration.ts';
import { PolicyEvents } from '../policy-events.ts';
import type { PolicyPorts } from '../standalone.ts';
import { onAbort } from '../standalone.ts';

/** A timeout as a policy of its own. */
export interface TimeoutPolicy extends IPolicy {
  /** Functions that still run although their time was over. */
  readonly abandoned: number;
}

/**
 * A timeout that mixes in cockatiel's `wrap`. It answers at once when the time is over, whether or not the function listens to its signal.
 * @param duration at least 1 ms
 * @returns a policy that throws {@link TimeoutError} (`ERR_KEELSON_TIMEOUT`, or `ERR_KEELSON_EVENT_LOOP_DELAY` with `lateByMs` where the
 *   event loop was blocked); a caller's abort gives the signal's own reason instead
 * @throws {ConfigError} for a duration that cannot be used
 */
export function timeout(duration: Duration, { clock = systemClock }: PolicyPorts = {}): TimeoutPolicy {
  const check = new OptionChecker('timeout');
  const timeoutMs = check.duration('duration', duration, 1, 1);
  check.done();
  const deadlines = deadlinesFor(clock);
  const list = deadlines.list(timeoutMs);
  const events = new PolicyEvents(clock);
  const counter: AbandonedCounter = { abandoned: 0 };
  const expired = (lateMs: number): TimeoutError =>
    new TimeoutError('attempt', timeoutMs, {}, loopDelayMs(lateMs));

  async function run<T>(
    fn: (context: IDefaultPolicyContext) => PromiseLike<T> | T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    signal?.throwIfAborted();
    const execution = new Execution<T>(counter, expired, '', {
      late: (result) => void discard(result, clock),
    });
    const stopListening = onAbort(signal, (reason) => execution.interrupt(reason));
    deadlines.arm(list, execution, clock.now());
    try {
      // A plain object with an own getter: cockatiel's `wrap` spreads the context of each policy into that of the next.
      const context = {
        get signal() {
          return execution.signal;
        },
      };
      return await execution.start(fn, context);
    } catch (error) {
      if (execution.interrupted && error instanceof TimeoutError) showCaller(error);
      throw error;
    } finally {
      deadlines.disarm(execution);
      stopListening();
    }
  }

  return {
    _altReturn: undefined as never,
    onSuccess: events.onSuccess,
    onFailure: events.onFailure,
    get abandoned() {
      return counter.abandoned;
    },
    execute: (fn, signal) => events.watch(() => run(fn, signal), isTimeout),
  };
}

function isTimeout(error: unknown): boolean {
  return error instanceof TimeoutError;
}
