import { Waiter } from '../waiter.ts';
import type { Clock, Timer } from './clock.ts';

/** A delay that can be interrupted. */
export class Wait extends Waiter {
  readonly #timer: Timer;

  /** @param delayMs milliseconds, at least 0 */
  constructor(clock: Clock, delayMs: number) {
    super();
    this.#timer = clock.setTimer(() => this.grant(), delayMs);
  }

  protected leave(): boolean {
    this.#timer.cancel();
    return true;
  }
}
