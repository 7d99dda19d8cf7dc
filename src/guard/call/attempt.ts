import type { Execution, Interruptible } from '../../core/execution.ts';
import type { RunningCall } from '../../policies/breaker/index.ts';
import type { RateWaiter } from '../../policies/rate-limit/index.ts';
import type { Call, FailedOutcome } from './call.ts';

/**
 * One attempt of a call: it passes the waits, takes the breaker's permit, and runs the function once. All that belongs to one attempt is here
 * and not in its call, so that a call can have several at the same time.
 */
export class Attempt<T> implements Interruptible {
  readonly call: Call<T>;
  /** 0 for the first one that runs; set when it starts. */
  number = 0;
  /** When the function was called. NaN, which V8 keeps as a double from the start: the shape of the object never changes. */
  startedAt: number = Number.NaN;
  /** The run of the function; `undefined` while the attempt waits. */
  execution: Execution<T> | undefined = undefined;
  /** The permit of the breaker. */
  permit = 0;
  /** What watches the run for slowness. */
  running: RunningCall | undefined = undefined;
  /** When it asked the rate limit for a token. NaN as for `startedAt`. */
  askedAt: number = Number.NaN;
  /** Its place in the line of the rate limit, if it had to wait. */
  turn: RateWaiter | undefined = undefined;
  #stage: Interruptible | undefined = undefined;

  constructor(call: Call<T>) {
    this.call = call;
  }

  /** The attempt is busy with `stage` from now on. If the call was interrupted before, the stage ends at once. */
  enter(stage: Interruptible): void {
    this.#stage = stage;
    const { interruption } = this.call;
    if (interruption) stage.interrupt(interruption.error);
  }

  /** The stage is over. */
  leave(): void {
    this.#stage = undefined;
  }

  interrupt(error: unknown): void {
    this.#stage?.interrupt(error);
  }

  /** How the attempt ended, if it gave no value. */
  get failedOutcome(): FailedOutcome {
    if (this.call.interruption?.by === 'caller') return 'cancelled';
    return this.execution?.interrupted ? 'timeout' : 'failure';
  }
}
