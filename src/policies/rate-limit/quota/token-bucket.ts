import type { Rate } from './gcra.ts';
import { Gcra, REFUSED } from './gcra.ts';
import type { Pause } from './pause.ts';
import type { Quota } from './quota.ts';

/** `algorithm: 'bucket'`: a token bucket whose state is one number. After a pause it gives one token, and the others at the usual interval. */
export class TokenBucket implements Quota {
  readonly #gcra: Gcra;
  readonly #pause: Pause;
  #tat = REFUSED;

  constructor(rate: Rate, pause: Pause) {
    this.#gcra = new Gcra(rate);
    this.#pause = pause;
  }

  take(now: number, spare: number): boolean {
    const tat = this.#paused(now);
    if (spare > 0 && this.#gcra.waitMs(tat, now, spare + 1) > 0) return false;
    const next = this.#gcra.take(tat, now);
    if (next === REFUSED) return false;
    this.#tat = next;
    return true;
  }

  waitMs(now: number, tokens: number): number {
    if (Number.isFinite(now)) {
      this.#tat = this.#gcra.clamp(this.#tat, now, this.#pause.leftMs(now));
    }
    return this.#gcra.waitMs(this.#paused(now), now, tokens);
  }

  available(now: number): number {
    return this.#gcra.available(this.#paused(now), now);
  }

  giveBack(takenAt: number): void {
    if (Number.isFinite(takenAt)) this.#tat = this.#gcra.giveBack(this.#tat);
  }

  /** The state with the pause, below which nothing that is given back can lead. */
  #paused(now: number): number {
    if (Number.isFinite(now)) this.#pause.leftMs(now);
    return this.#pause.until === REFUSED ? this.#tat : this.#gcra.pause(this.#tat, this.#pause.until);
  }
}
