import type { RejectedError } from '../../core/errors.ts';
import type { Clock, Timer } from '../../core/time/clock.ts';
import { MAX_TIMER_MS } from '../../core/time/duration.ts';
import { timersInForce } from '../../core/time/timers-in-force.ts';
import { RateWaiter } from './rate-waiter.ts';

/** Where the tokens come from. */
export interface Bucket {
  /** Takes a token. @returns whether there was one */
  take(now: number): boolean;
  /** @returns milliseconds until there are `tokens` tokens */
  waitMs(now: number, tokens: number): number;
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

/** Calls that wait for tokens: one line, first come first served, and one timer for all of it. */
export class WaitingRoom {
  readonly #clock: Clock;
  readonly #bucket: Bucket;
  readonly #patience: Patience;
  readonly #refuse: Refusal;
  readonly #line = new Set<RateWaiter>();
  #timer: Timer | undefined;
  /** The timers of the process when `#timer` started. Once a test has replaced them, nobody can say that it will still fire. */
  #timersAtStart: unknown = undefined;

  constructor(clock: Clock, bucket: Bucket, patience: Patience, refuse: Refusal) {
    this.#clock = clock;
    this.#bucket = bucket;
    this.#patience = patience;
    this.#refuse = refuse;
  }

  /** Calls that wait. */
  get queued(): number {
    return this.#line.size;
  }

  /** @returns a place at the end of the line, or the error where there is none, or where the turn would come too late */
  enter(now: number): RateWaiter | RejectedError {
    const { queue, maxWaitMs } = this.#patience;
    const waitMs = this.#bucket.waitMs(now, this.#line.size + 1);
    if (maxWaitMs === 0 || waitMs > maxWaitMs || !Number.isFinite(now))
      return this.#refuse(waitMs, 'too_long');
    if (this.#line.size >= queue) return this.#refuse(waitMs, 'queue_full');
    const waiter = new RateWaiter(now + maxWaitMs, (leaving) => this.#leave(leaving));
    this.#line.add(waiter);
    if (this.#line.size === 1) this.#setTimer(waitMs);
    else if (this.#timersAtStart !== timersInForce()) this.#setTimer(this.#bucket.waitMs(now, 1));
    return waiter;
  }

  /** Gives tokens to those whose turn it is, sends away those whose turn would now come too late, and sets the timer to the next turn. */
  serve(): void {
    if (this.#line.size === 0) return;
    const now = this.#clock.now();
    this.#stopTimer();
    for (const waiter of this.#line) {
      if (!this.#bucket.take(now)) break;
      this.#line.delete(waiter);
      waiter.grant();
    }
    this.#dismiss(now);
    if (this.#line.size > 0) this.#setTimer(this.#bucket.waitMs(now, 1));
  }

  #dismiss(now: number): void {
    let position = 1;
    for (const waiter of this.#line) {
      const waitMs = this.#bucket.waitMs(now, position);
      if (now + waitMs > waiter.dueAt + TIMER_SLACK_MS) {
        this.#line.delete(waiter);
        waiter.refuse(this.#refuse(waitMs, 'too_long'));
      } else {
        position += 1;
      }
    }
  }

  #leave(waiter: RateWaiter): boolean {
    if (!this.#line.delete(waiter)) return false;
    if (this.#line.size === 0) this.#stopTimer();
    return true;
  }

  #setTimer(waitMs: number): void {
    const delayMs = Math.min(MAX_TIMER_MS, Math.max(0, Math.ceil(waitMs)));
    this.#stopTimer();
    this.#timersAtStart = timersInForce();
    this.#timer = this.#clock.setTimer(() => this.serve(), delayMs);
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
