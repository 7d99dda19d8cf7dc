import { errorLine } from './error-line.ts';
import type { Clock } from './time/clock.ts';
import { WarnOnce } from './warn-once.ts';

/** Failures that are no further apart than this belong together, although answers came between them. */
const TOGETHER_MS = 1_000;

/** Warns of a store that fails: once, and again only after it has answered in between. */
export class StoreWatch {
  readonly #what: string;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #once: WarnOnce;
  #failedAt = Number.NEGATIVE_INFINITY;

  /**
   * @param what the store, as the message begins: `The store of the rate limit`
   * @param warn takes the message
   */
  constructor(what: string, clock: Pick<Clock, 'now'>, warn: (message: string) => void) {
    this.#what = what;
    this.#clock = clock;
    this.#once = new WarnOnce(warn);
  }

  /** The store has failed. @param consequence what happens now, as a sentence */
  failed(error: unknown, consequence: string): void {
    this.#failedAt = this.#clock.now();
    this.#once.warn('away', () => `${this.#what} failed: ${errorLine(error)} ${consequence}`);
  }

  /** The store has answered. */
  answered(): void {
    if (this.#clock.now() - this.#failedAt >= TOGETHER_MS) this.#once.over('away');
  }
}
