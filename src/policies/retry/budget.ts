/** How many retries a dependency may cost, in proportion to the calls that it gets. */
export interface RetryBudgetOptions {
  /** Retries for each call, over the last ten seconds: 0 to 1. @defaultValue 0.2 */
  readonly ratio?: number;
  /** Retries in ten seconds that are always allowed, so that a quiet service retries too: 0 or more. @defaultValue 10 */
  readonly floor?: number;
}

/** {@link RetryBudgetOptions} with every default filled in. */
export interface ResolvedBudget {
  readonly ratio: number;
  readonly floor: number;
}

const SECONDS = 10;

/**
 * Lets through at most `max(floor, ratio * calls)` retries in any ten seconds: when everything fails, retries add a fifth to the load, and do
 * not multiply it. The same idea, with a floor for the rate, as Finagle's `RetryBudget`.
 */
export class RetryBudget {
  #options: ResolvedBudget;
  readonly #calls: number[] = Array.from({ length: SECONDS }, () => 0);
  readonly #retries: number[] = Array.from({ length: SECONDS }, () => 0);
  #newest = 0;

  constructor(options: ResolvedBudget) {
    this.#options = options;
  }

  /** Changes the options. Calls and retries of the last ten seconds still count. */
  update(options: ResolvedBudget): void {
    this.#options = options;
  }

  /** A call has come. @param now monotonic milliseconds */
  call(now: number): void {
    const slot = this.#slot(now);
    this.#calls[slot] = (this.#calls[slot] ?? 0) + 1;
  }

  /** Whether there is a retry left; takes none. @param now monotonic milliseconds */
  hasRetry(now: number): boolean {
    this.#slot(now);
    const allowed = Math.max(this.#options.floor, this.#options.ratio * sum(this.#calls));
    return sum(this.#retries) + 1 <= allowed;
  }

  /** Takes a retry out of the budget. @returns whether there was one left */
  tryRetry(now: number): boolean {
    if (!this.hasRetry(now)) return false;
    const slot = this.#slot(now);
    this.#retries[slot] = (this.#retries[slot] ?? 0) + 1;
    return true;
  }

  /** Forgets what is older than ten seconds. A clock that goes backwards stays in the newest second. */
  #slot(now: number): number {
    const second = Math.floor(now / 1_000);
    const passed = Math.min(SECONDS, Math.max(0, second - this.#newest));
    this.#newest = Math.max(this.#newest, second);
    for (let back = 0; back < passed; back += 1) {
      const slot = (this.#newest - back) % SECONDS;
      this.#calls[slot] = 0;
      this.#retries[slot] = 0;
    }
    return this.#newest % SECONDS;
  }
}

function sum(numbers: readonly number[]): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
