import { Waiter } from '../../core/waiter.ts';

/** A call that waits for its token. `dueAt` is the time on the clock until which it is willing to wait; whoever serves the line keeps to it. */
export class RateWaiter extends Waiter {
  #hasLeft = false;
  #leave: (waiter: RateWaiter, error: unknown) => boolean;

  /** @param leave takes the waiter out of its line; gives whether it was still there */
  constructor(dueAt: number, leave: (waiter: RateWaiter, error: unknown) => boolean) {
    super();
    this.dueAt = dueAt;
    this.#leave = leave;
  }

  /** Whether the call has been interrupted. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  protected leave(error: unknown): boolean {
    if (!this.#leave(this, error)) return false;
    this.#hasLeft = true;
    return true;
  }

  /** Waits in another line from now on, and ends as its waiter there does. */
  follow(other: RateWaiter): void {
    this.#leave = (_waiter, error) => {
      other.interrupt(error);
      return false;
    };
    other.granted.then(
      () => this.grant(),
      (error) => this.refuse(error),
    );
  }
}
