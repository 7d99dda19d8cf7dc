/**
 * Bounds a rate of bytes: GCRA, the token bucket that keeps one time (ATM Forum TM 4.0, virtual scheduling).
 * A burst may be as large as 50 ms of the rate, so that small lines do not need a timer each.
 */
export class Pacer {
  readonly #bytesPerMs: number;
  #free = 0;

  /** @param bytesPerSecond more than 0 */
  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1_000;
  }

  /** Milliseconds until the next line may go; 0 if it may go now. @param now monotonic time in milliseconds */
  waitMs(now: number): number {
    return Math.max(0, this.#free - BURST_MS - now);
  }

  /** Records a line that goes now. */
  spend(bytes: number, now: number): void {
    this.#free = Math.max(this.#free, now) + bytes / this.#bytesPerMs;
  }
}

const BURST_MS = 50;
