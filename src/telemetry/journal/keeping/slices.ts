import type { Clock } from '../../../core/time/clock.ts';

/** How long one turn of the event loop may work on this, in milliseconds. A single operation can take longer. */
const SLICE_MS = 4;
/** How many pieces of work one turn may do, however short they are. */
const SLICE_PIECES = 32;

/** Settles in the next turn of the event loop, after all other work. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Cuts long work into slices of a few milliseconds, so that the service can answer in between. */
export class Slices {
  readonly #clock: Clock;
  #startedAt: number;
  #pieces = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  /** Call it between two pieces of work. Settles at once, or in the next turn of the event loop if this turn has worked long enough. */
  async pause(): Promise<void> {
    this.#pieces += 1;
    if (this.#pieces < SLICE_PIECES && this.#clock.now() - this.#startedAt < SLICE_MS) return;
    await nextTurn();
    this.#pieces = 0;
    this.#startedAt = this.#clock.now();
  }
}
