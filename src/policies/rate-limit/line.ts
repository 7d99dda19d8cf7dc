import type { RateWaiter } from './rate-waiter.ts';

/** Calls that wait for a token, in the order in which they are served: first those that retry after a pause, then the others; each as they came. */
export class Line implements Iterable<RateWaiter> {
  readonly #retries = new Set<RateWaiter>();
  readonly #others = new Set<RateWaiter>();

  get size(): number {
    return this.#retries.size + this.#others.size;
  }

  /** How many of them retry after a pause. */
  get retries(): number {
    return this.#retries.size;
  }

  get head(): RateWaiter | undefined {
    for (const waiter of this) return waiter;
    return undefined;
  }

  add(waiter: RateWaiter): void {
    (waiter.isRetry ? this.#retries : this.#others).add(waiter);
  }

  has(waiter: RateWaiter): boolean {
    return this.#retries.has(waiter) || this.#others.has(waiter);
  }

  /** @returns how many are served before `waiter`, which is in the line */
  before(waiter: RateWaiter): number {
    return [...this].indexOf(waiter);
  }

  /** @returns whether it was there */
  delete(waiter: RateWaiter): boolean {
    return this.#retries.delete(waiter) || this.#others.delete(waiter);
  }

  clear(): void {
    this.#retries.clear();
    this.#others.clear();
  }

  *[Symbol.iterator](): Iterator<RateWaiter> {
    yield* this.#retries;
    yield* this.#others;
  }
}
