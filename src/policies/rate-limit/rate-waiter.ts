import { Waiter } from '../../core/waiter.ts';

/** A call that waits for its token. `dueAt` is the time on the clock until which it is willing to wait; whoever serves the line keeps to it. */
export class RateWaiter extends Waiter {
  /** Whether the call retries after a pause that its own failure has set: it is served before all others. */
  readonly isRetry: boolean;
  /** The time on the clock of this process at which the token was taken; NaN before that, and if a shared store granted it. */
  takenAt: number = Number.NaN;
  /** The time of the grant as the shared store counts it; NaN if no store did. */
  storedAt: number = Number.NaN;
  #hasLeft = false;
  #leave: (waiter: RateWaiter, error: unknown) => boolean;
  readonly #due: ((waiter: RateWaiter) => void) | undefined;

  /**
   * @param dueAt the time on the clock; `Infinity` for a call that waits as long as it takes
   * @param leave takes the waiter out of its line; gives whether it was still there
   * @param due decides what happens at `dueAt`, for a waiter that is armed as a deadline
   */
  constructor(
    dueAt: number,
    leave: (waiter: RateWaiter, error: unknown) => boolean,
    isRetry: boolean = false,
    due?: (waiter: RateWaiter) => void,
  ) {
    super();
    this.dueAt = dueAt;
    this.isRetry = isRetry;
    this.#leave = leave;
    this.#due = due;
  }

  /** Whether the call has been interrupted. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  override expire(): void {
    this.#due?.(this);
  }

  protected leave(error: unknown): boolean {
    if (!this.#leave(this, error)) return false;
    this.#hasLeft = true;
    return true;
  }

  #grantAt(takenAt: number): void {
    this.takenAt = takenAt;
    this.grant();
  }

  /** Waits in another line from now on, and ends as its waiter there does. */
  follow(other: RateWaiter): void {
    this.#leave = (_waiter, error) => {
      other.interrupt(error);
      return false;
    };
    other.granted.then(
      () => this.#grantAt(other.takenAt),
      (error) => this.refuse(error),
    );
  }
}
