import type { Clock, Timer } from '../../core/clock.ts';
import { MAX_TIMER_MS } from '../../core/duration.ts';
import type { RejectedError } from '../../core/errors.ts';
import { RateWaiter } from './rate-waiter.ts';

/** Where the tokens come from. */
export interface Buckets {
  /** Takes a token of `key`. @returns whether there was one */
  take(key: string, now: number): boolean;
  /** @returns milliseconds until `key` has so many tokens */
  waitMs(key: string, now: number, tokens: number): number;
}

/** How many may wait, and for how long. */
export interface Patience {
  readonly queue: number;
  readonly maxWaitMs: number;
}

/** Why a call may not wait. */
export type Refusal = (waitMs: number, why: 'too_long' | 'queue_full') => RejectedError;

/** Timers tick in whole milliseconds: so much later than predicted is still in time. */
const TIMER_SLACK_MS = 1;

/** Calls that wait for tokens: one line for each key that has any, first come first served, and one timer for all of them. */
export class WaitingRoom {
  readonly #clock: Clock;
  readonly #buckets: Buckets;
  readonly #patience: Patience;
  readonly #refuse: Refusal;
  readonly #lines = new Map<string, Set<RateWaiter>>();
  #queued = 0;
  #timer: Timer | undefined;
  #timerDueAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, buckets: Buckets, patience: Patience, refuse: Refusal) {
    this.#clock = clock;
    this.#buckets = buckets;
    this.#patience = patience;
    this.#refuse = refuse;
  }

  /** Calls that wait, for whatever key. */
  get queued(): number {
    return this.#queued;
  }

  /** @returns how many calls wait for `key` */
  queuedFor(key: string): number {
    return this.#lines.get(key)?.size ?? 0;
  }

  /** @returns a place at the end of the line of `key`, or the error where there is none, or where the turn would come too late */
  enter(key: string, now: number): RateWaiter | RejectedError {
    const { queue, maxWaitMs } = this.#patience;
    const waitMs = this.#buckets.waitMs(key, now, this.queuedFor(key) + 1);
    if (maxWaitMs === 0 || waitMs > maxWaitMs || !Number.isFinite(now))
      return this.#refuse(waitMs, 'too_long');
    if (this.#queued >= queue) return this.#refuse(waitMs, 'queue_full');
    const waiter = new RateWaiter(now + maxWaitMs, (leaving) => this.#leave(key, leaving));
    const line = this.#lines.get(key);
    if (line) line.add(waiter);
    else this.#lines.set(key, new Set([waiter]));
    this.#queued += 1;
    if (!line) this.#setTimer(now, waitMs);
    return waiter;
  }

  /** Gives tokens to those whose turn it is, sends away those whose turn would now come too late, and sets the timer to the next turn. */
  serve(): void {
    if (this.#queued === 0) return;
    const now = this.#clock.now();
    this.#stopTimer();
    for (const [key, line] of this.#lines) {
      for (const waiter of line) {
        if (!this.#buckets.take(key, now)) break;
        this.#leave(key, waiter);
        waiter.grant();
      }
      this.#dismiss(key, line, now);
      if (line.size > 0) this.#setTimer(now, this.#buckets.waitMs(key, now, 1));
    }
  }

  #dismiss(key: string, line: ReadonlySet<RateWaiter>, now: number): void {
    let position = 1;
    for (const waiter of line) {
      const waitMs = this.#buckets.waitMs(key, now, position);
      if (now + waitMs > waiter.dueAt + TIMER_SLACK_MS) {
        this.#leave(key, waiter);
        waiter.refuse(this.#refuse(waitMs, 'too_long'));
      } else {
        position += 1;
      }
    }
  }

  #leave(key: string, waiter: RateWaiter): boolean {
    const line = this.#lines.get(key);
    if (!line?.delete(waiter)) return false;
    if (line.size === 0) this.#lines.delete(key);
    this.#queued -= 1;
    if (this.#queued === 0) this.#stopTimer();
    return true;
  }

  #setTimer(now: number, waitMs: number): void {
    if (now + waitMs >= this.#timerDueAt) return;
    this.#stopTimer();
    this.#timerDueAt = now + waitMs;
    const delayMs = Math.min(MAX_TIMER_MS, Math.max(0, Math.ceil(waitMs)));
    this.#timer = this.#clock.setTimer(() => this.serve(), delayMs);
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDueAt = Number.POSITIVE_INFINITY;
  }
}
