import type { Clock } from '../../core/clock.ts';
import type { Deadline, DeadlineList } from '../../core/deadlines.ts';
import { deadlinesFor } from '../../core/deadlines.ts';
import { KeelsonError } from '../../core/errors.ts';

/** One question to a store, with its own time limit on the timer that all deadlines share. */
export class StoreQuestion implements Deadline {
  dueAt = 0;
  previousDeadline: Deadline | undefined = undefined;
  nextDeadline: Deadline | undefined = undefined;
  deadlineList: DeadlineList | undefined = undefined;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #controller = new AbortController();
  #reject: (error: unknown) => void = () => {};

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws what `answer` throws, and an error with the code `ERR_KEELSON_STORE_TIMEOUT` where it takes too long */
  ask<T>(answer: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const deadlines = deadlinesFor(this.#clock);
    deadlines.arm(deadlines.list(this.#timeoutMs), this, this.#clock.now());
    return new Promise<T>((resolve, reject) => {
      this.#reject = reject;
      answer(this.#controller.signal).then(resolve, reject);
    }).finally(() => deadlines.disarm(this));
  }

  expire(): void {
    const message = `The store gave no answer within ${this.#timeoutMs} ms.`;
    const error = new KeelsonError('ERR_KEELSON_STORE_TIMEOUT', message, {
      hint: 'Look at the store and the way to it; raise `rateLimit.storeTimeout` if it needs longer.',
    });
    this.#reject(error);
    this.#controller.abort(error);
  }
}
