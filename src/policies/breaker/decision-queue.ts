import type { Clock } from '../../core/clock.ts';
import type { Deadline, DeadlineList, Deadlines } from '../../core/deadlines.ts';
import { deadlinesFor } from '../../core/deadlines.ts';
import type { Interruptible } from '../../core/execution.ts';

/** A call that waits until the trials of a half-open circuit have decided. */
export class DecisionWait implements Interruptible, Deadline {
  dueAt = 0;
  previousDeadline: Deadline | undefined = undefined;
  nextDeadline: Deadline | undefined = undefined;
  deadlineList: DeadlineList | undefined = undefined;
  /** Resolves when the state has changed or the wait is over; the caller then asks again. Rejects when it is interrupted. */
  readonly decided: Promise<void>;
  readonly #leave: (wait: DecisionWait) => void;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(leave: (wait: DecisionWait) => void) {
    this.#leave = leave;
    this.decided = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  end(): void {
    this.#leave(this);
    this.#resolve();
  }

  expire(): void {
    this.end();
  }

  interrupt(error: unknown): void {
    this.#leave(this);
    this.#reject(error);
  }
}

/** At most so many calls wait for a decision: those beyond are refused at once, as without a wait. */
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
      this.#waiting.delete(leaving);
      this.#deadlines.disarm(leaving);
    });
    this.#waiting.add(wait);
    this.#deadlines.arm(this.#list, wait, this.#clock.now());
    return wait;
  }

  /** The circuit has changed: everybody asks again. */
  decided(): void {
    for (const wait of this.#waiting) wait.end();
  }
}
