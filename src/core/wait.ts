import type { Clock, Timer } from './clock.ts';
import type { Interruptible } from './execution.ts';

/** A delay that can be interrupted. */
export class Wait implements Interruptible {
  /** Settles when the time is over; rejects with the reason of an interruption. */
  readonly promise: Promise<void>;
  readonly #timer: Timer;
  #reject: (error: unknown) => void = () => {};

  /** @param delayMs milliseconds, at least 0 */
  constructor(clock: Clock, delayMs: number) {
    let resolve: () => void = () => {};
    this.promise = new Promise<void>((onDone, onInterrupt) => {
      resolve = onDone;
      this.#reject = onInterrupt;
    });
    this.#timer = clock.setTimer(resolve, delayMs);
  }

  interrupt(error: unknown): void {
    this.#timer.cancel();
    this.#reject(error);
  }
}
