import type { Interruptible } from './execution.ts';
import { DeadlineNode } from './time/deadline-node.ts';

/**
 * A call that waits for its turn. It can be granted, refused, interrupted, or armed as a deadline. It settles once, in the async context of
 * whoever awaits it.
 */
export abstract class Waiter extends DeadlineNode implements Interruptible {
  /** Resolves when the call may go on. Rejects when it is refused or interrupted before. */
  readonly granted: Promise<void>;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;

  constructor() {
    super();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.granted = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Lets the call go on. Whoever grants has taken it out of its queue. */
  grant(): void {
    this.#resolve();
  }

  /** Ends the wait with `error`. Whoever refuses has taken it out of its queue. */
  refuse(error: unknown): void {
    this.#reject(error);
  }

  /** A call that has been granted keeps what it got: its caller gives it back. */
  interrupt(error: unknown): void {
    if (this.leave(error)) this.#reject(error);
  }

  /** Its deadline is over: the call goes on without what it waited for, if the subclass does not refuse it. */
  expire(): void {
    if (this.leave(undefined)) this.#resolve();
  }

  /** Takes the call out of its queue. @returns whether it still waited there */
  protected abstract leave(error: unknown): boolean;
}
