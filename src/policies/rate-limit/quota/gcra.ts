/** What {@link Gcra.take} gives where there is no token. No clock gives such a time. */
export const REFUSED: number = Number.NEGATIVE_INFINITY;

/** A rate: `limit` tokens in a period of `perMs` milliseconds, at most `burst` of them at once. */
export interface Rate {
  /** Tokens in a period, above 0. */
  readonly limit: number;
  /** Milliseconds, above 0. */
  readonly perMs: number;
  /** Tokens at once: 1 or more. */
  readonly burst: number;
}

/**
 * The generic cell rate algorithm (ITU-T I.371, annex A; the virtual scheduling form). The state of a key is one number, the theoretical
 * arrival time: when its bucket would be full again. Every token moves it on by one interval, and no token is given that would
 * move it further than `burst` intervals ahead of now.
 *
 * Times are kept as multiples of a fraction of a millisecond in which the interval is a whole number, so that adding up intervals
 * rounds nothing, however long a process runs.
 */
export class Gcra {
  readonly #unitsPerMs: number;
  readonly #interval: number;
  readonly #tolerance: number;

  constructor({ limit, perMs, burst }: Rate) {
    const divisor = greatestCommonDivisor(limit, perMs);
    this.#unitsPerMs = limit / divisor;
    this.#interval = perMs / divisor;
    this.#tolerance = burst * this.#interval;
  }

  /** The milliseconds between two tokens in the long run. */
  get intervalMs(): number {
    return this.#interval / this.#unitsPerMs;
  }

  /**
   * Takes a token.
   * @param tat the state of the key; {@link REFUSED} for a key that nobody has used
   * @param now milliseconds
   * @returns the new state, or {@link REFUSED} where there is no token; always that for a `now` that is no finite number
   */
  take(tat: number, now: number): number {
    const at = now * this.#unitsPerMs;
    const next = (tat > at ? tat : at) + this.#interval;
    return next - at <= this.#tolerance ? next : REFUSED;
  }

  /** @returns the state with one token given back that was taken and not used */
  giveBack(tat: number): number {
    return tat - this.#interval;
  }

  /**
   * @param pauseMs the longest time for which the key has been paused: see {@link pause}
   * @returns the state as a clock that has gone backwards allows it: no further ahead than an empty bucket and the pause. Without
   * this, an hour back would mean an hour without a token.
   */
  clamp(tat: number, now: number, pauseMs: number): number {
    const furthest = (now + pauseMs) * this.#unitsPerMs + this.#tolerance;
    return tat > furthest ? furthest : tat;
  }

  /**
   * @param tokens how many: 1 or more
   * @returns milliseconds until there are so many: 0 for those that are there, one interval for a `now` that is no finite number
   */
  waitMs(tat: number, now: number, tokens: number = 1): number {
    if (!Number.isFinite(now)) return this.intervalMs;
    const at = now * this.#unitsPerMs;
    const next = Math.max(tat, at) + tokens * this.#interval;
    return Math.max(0, (next - at - this.#tolerance) / this.#unitsPerMs);
  }

  /** @returns whole tokens that are there now */
  available(tat: number, now: number): number {
    if (!Number.isFinite(now)) return 0;
    const at = now * this.#unitsPerMs;
    return Math.max(0, Math.floor((this.#tolerance - Math.max(0, tat - at)) / this.#interval));
  }

  /** @returns a state that gives its next token at `until`, one, and the others at the usual interval after it */
  pause(tat: number, until: number): number {
    return Math.max(tat, until * this.#unitsPerMs + this.#tolerance - this.#interval);
  }
}

/** Euclid's. For numbers that have none it gives 1. */
function greatestCommonDivisor(a: number, b: number): number {
  if (!Number.isInteger(a) || !Number.isInteger(b)) return 1;
  let [divisor, rest] = [a, b];
  while (rest > 0) [divisor, rest] = [rest, divisor % rest];
  return divisor;
}
