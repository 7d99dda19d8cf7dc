import type { Interruptible } from '../../core/execution.ts';

/** A call that waits for its turn. It settles in the async context of whoever awaits it. */
export class RateWaiter implements Interruptible {
  /** Resolves when the call has its token; rejects when it leaves without one. */
  readonly granted: Promise<void>;
  /** The time on the clock until which the call is willing to wait. */
  readonly dueAt: number;
  #hasLeft = false;
  #leave: (waiter: RateWaiter, error: unknown) => boolean;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};

  /** @param leave takes the waiter out of its line; gives whether it was still there */
  constructor(dueAt: number, leave: (waiter: RateWaiter, error: unknown) => boolean) {
    this.dueAt = dueAt;
    this.#leave = leave;
    this.granted = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Whether the call has been interrupted. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  grant(): void {
    this.#resolve();
  }

  refuse(error: unknown): void {
    this.#reject(error);
  }

  /** The next one moves up. A call that already has its token keeps it: its caller gives it back. */
  interrupt(error: unknown): void {
    if (!this.#leave(this, error)) return;
    this.#hasLeft = true;
    this.#reject(error);
  }

  /** Waits in another line from now on, and ends as its waiter there does. */
  follow(other: RateWaiter): void {
    this.#leave = (_waiter, error) => {
      other.interrupt(error);
      return false;
    };
    other.granted.then(this.#resolve, this.#reject);
  }
}
