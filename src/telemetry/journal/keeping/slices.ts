import type { Clock } from '../../../core/clock.ts';

/** The most that one turn of the event loop spends on housekeeping, beside single operations that cannot be cut. */
const SLICE_MS = 4;
/** And the most pieces of work, whatever they take. */
const SLICE_PIECES = 32;

/** Lets everything else have its turn. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Cuts long work into slices of a few milliseconds, so that the service answers in between. */
export class Slices {
  readonly #clock: Clock;
  #startedAt: number;
  #pieces = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  /** Asked between two pieces of work: goes on at once, or in the next turn of the event loop where this one has had its share. */
  async pause(): Promise<void> {
    this.#pieces += 1;
    if (this.#pieces < SLICE_PIECES && this.#clock.now() - this.#startedAt < SLICE_MS) return;
    await nextTurn();
    this.#pieces = 0;
    this.#startedAt = this.#clock.now();
  }
}
