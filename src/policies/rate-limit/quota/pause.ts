/** The longest pause that a server can ask for: one answer must not stop a dependency for longer. After it one call asks again. */
export const MAX_PAUSE_MS = 60_000;

/** Sums of times are rounded. */
const ROUNDING_MS = 1;

/** The time for which a server wants no calls, by the clock of this process. */
export class Pause {
  /** The time on the clock when the pause is over. `-Infinity` before the first pause, and after {@link end}. */
  until: number = Number.NEGATIVE_INFINITY;

  /**
   * Begins a pause, or makes the one that is there longer.
   * @param retryAfterMs milliseconds; more than a minute counts as a minute, and what is not above 0 begins none
   * @param now the time on the clock; without a finite number no pause begins
   * @returns whether there is a pause now
   */
  begin(retryAfterMs: number, now: number): boolean {
    if (!(retryAfterMs > 0) || !Number.isFinite(now)) return false;
    const lengthMs = Math.min(retryAfterMs, MAX_PAUSE_MS);
    this.until = Math.max(now + this.leftMs(now), now + lengthMs);
    return true;
  }

  /** @returns milliseconds that are left of the pause. A clock that has gone back by more than the longest pause ends it. */
  leftMs(now: number): number {
    if (!(this.until > now)) return 0;
    const leftMs = this.until - now;
    if (leftMs <= MAX_PAUSE_MS + ROUNDING_MS) return leftMs;
    this.end();
    return 0;
  }

  /** Ends the pause. */
  end(): void {
    this.until = Number.NEGATIVE_INFINITY;
  }
}
