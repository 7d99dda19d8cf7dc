import type { Clock } from '../../core/time/clock.ts';
import type { DeadlineList } from '../../core/time/deadline-node.ts';
import type { Deadlines } from '../../core/time/deadlines.ts';
import { deadlinesFor } from '../../core/time/deadlines.ts';
import { Waiter } from '../../core/waiter.ts';

/** A call that waits until the trials of a half-open circuit have decided, or its time is over. It then asks the circuit again. */
export class DecisionWait extends Waiter {
  readonly #leave: (wait: DecisionWait) => boolean;

  constructor(leave: (wait: DecisionWait) => boolean) {
    super();
    this.#leave = leave;
  }

  protected leave(): boolean {
    return this.#leave(this);
  }
}

/** Most calls that wait for a decision. Any further call is refused at once, as without a wait. */
const MAX_WAITING = 1_000;

/** The calls that wait for the decision of a half-open circuit. */
export class DecisionQueue {
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #list: DeadlineList | undefined;
  readonly #waiting = new Set<DecisionWait>();

  /** @param waitMs milliseconds; `undefined`: nobody waits */
  constructor(clock: Clock, waitMs: number | undefined) {
    this.#clock = clock;
    this.#deadlines = deadlinesFor(clock);
    if (waitMs !== undefined) this.#list = this.#deadlines.list(waitMs);
  }

  /** @returns the wait, or `undefined` where nobody may */
  join(): DecisionWait | undefined {
    if (!this.#list || this.#waiting.size >= MAX_WAITING) return undefined;
    const wait = new DecisionWait((leaving) => {
      this.#deadlines.disarm(leaving);
      return this.#waiting.delete(leaving);
    });
    this.#waiting.add(wait);
    this.#deadlines.arm(this.#list, wait, this.#clock.now());
    return wait;
  }

  /** The circuit has changed: everybody asks again. */
  decided(): void {
    for (const wait of this.#waiting) wait.expire();
  }
}
