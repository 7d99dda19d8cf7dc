/** The pause after a failure. Whatever failed is left alone until it is over, so that it costs its timeout once and not for each call. */
export class Rest {
  readonly #restMs: number;
  #until: number = Number.NEGATIVE_INFINITY;

  /** @param restMs how long a rest is, in milliseconds */
  constructor(restMs: number) {
    this.#restMs = restMs;
  }

  /** Begins a rest, or begins it again. @param now the time on the clock */
  begin(now: number): void {
    this.#until = now + this.#restMs;
  }

  /**
   * @param now the time on the clock
   * @returns milliseconds until the rest is over; 0 if there is none. A clock that has gone back beyond the failure ends it.
   */
  leftMs(now: number): number {
    const leftMs = this.#until - now;
    return leftMs > 0 && leftMs <= this.#restMs ? leftMs : 0;
  }
}
