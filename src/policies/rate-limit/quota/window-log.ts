import type { Pause } from './pause.ts';
import type { Quota } from './quota.ts';

/** How many calls may start in a period, wherever the period begins. */
export interface RateWindow {
  /** Calls in any period: 1 to 10,000. */
  readonly limit: number;
  /** The period in milliseconds, above 0. */
  readonly perMs: number;
}

/** The log begins small and grows up to `limit`: most guards, and most keys of a guard, never use up their limit. */
const FIRST_SIZE = 16;
/** Whoever read the clock a little earlier than the last one is no sign of a clock that was set back. */
const STALE_MS = 1_000;

/**
 * `algorithm: 'window'`: an exact sliding log. It keeps the times of the last `limit` grants in a ring. A further call may start once the oldest of them
 * is a whole period ago. So no half-open interval of the length `perMs` has more than `limit` grants. Taking costs the same however long the log is.
 */
export class WindowLog implements Quota {
  readonly #limit: number;
  readonly #perMs: number;
  readonly #pause: Pause;
  #ring: Float64Array;
  /** The place of the oldest grant in the ring. */
  #oldest = 0;
  #count = 0;
  /** What the log adds to the clock, so that its own time never goes backwards. */
  #offset = 0;
  #latest = Number.NEGATIVE_INFINITY;

  constructor({ limit, perMs }: RateWindow, pause: Pause) {
    this.#limit = limit;
    this.#perMs = perMs;
    this.#pause = pause;
    this.#ring = new Float64Array(Math.min(limit, FIRST_SIZE));
  }

  take(now: number, spare: number): boolean {
    if (!Number.isFinite(now) || this.#pause.leftMs(now) > 0) return false;
    const at = this.#timeOf(now);
    // The grant that must be a period ago; each spare token needs one more place.
    const blocking = this.#count + spare - this.#limit;
    if (blocking >= 0 && !(blocking < this.#count && at - this.#grant(blocking) >= this.#perMs)) return false;
    this.#add(at);
    return true;
  }

  waitMs(now: number, tokens: number): number {
    if (!Number.isFinite(now)) return this.#perMs;
    const at = this.#timeOf(now);
    const rounds = Math.floor((tokens - 1) / this.#limit);
    const blocking = this.#count + tokens - rounds * this.#limit - this.#limit - 1;
    // Written like the condition of take(): what that refuses never has a wait of 0.
    const placeMs = blocking < 0 ? 0 : Math.max(0, this.#perMs - (at - this.#grant(blocking)));
    return rounds * this.#perMs + Math.max(placeMs, this.#pause.leftMs(now));
  }

  available(now: number): number {
    if (!Number.isFinite(now) || this.#pause.leftMs(now) > 0) return 0;
    const at = Math.max(now + this.#offset, this.#latest);
    // The first grant that still counts, by halving: grants are in the order of their times.
    let [low, high] = [0, this.#count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at - this.#grant(middle) >= this.#perMs) low = middle + 1;
      else high = middle;
    }
    return this.#limit - (this.#count - low);
  }

  /** Removes the grant of that time. If there is none, an older one goes in its place: the log then holds at least what has started. */
  giveBack(takenAt: number): void {
    const at = takenAt + this.#offset;
    for (let index = this.#count - 1; index >= 0; index -= 1) {
      if (!(this.#grant(index) <= at)) continue;
      for (let newer = index; newer < this.#count - 1; newer += 1)
        this.#ring[this.#slot(newer)] = this.#grant(newer + 1);
      this.#count -= 1;
      return;
    }
  }

  /**
   * The time of the log. A clock that is behind the last grant by up to a second stands still for the log. One that was set back by more goes on
   * from there: nobody waits for longer than a period because of it, and no grant counts twice.
   */
  #timeOf(now: number): number {
    const at = now + this.#offset;
    if (at >= this.#latest) return at;
    if (this.#latest - at > STALE_MS) this.#offset = this.#latest - now;
    return this.#latest;
  }

  #slot(index: number): number {
    const slot = this.#oldest + index;
    return slot < this.#ring.length ? slot : slot - this.#ring.length;
  }

  /** @param index 0 for the oldest @returns the time of a grant */
  #grant(index: number): number {
    return this.#ring[this.#slot(index)] ?? Number.NEGATIVE_INFINITY;
  }

  #add(at: number): void {
    this.#latest = at;
    if (this.#count === this.#limit) {
      // The oldest is a period ago: the newest takes its slot.
      this.#ring[this.#oldest] = at;
      this.#oldest = this.#slot(1);
      return;
    }
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[this.#slot(this.#count)] = at;
    this.#count += 1;
  }

  #grow(): void {
    const ring = new Float64Array(Math.min(this.#limit, this.#ring.length * 2));
    for (let index = 0; index < this.#count; index += 1) ring[index] = this.#grant(index);
    this.#ring = ring;
    this.#oldest = 0;
  }
}
