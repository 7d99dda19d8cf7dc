import type { RejectedError } from '../../core/errors.ts';
import type { Clock, Timer } from '../../core/time/clock.ts';
import { MAX_TIMER_MS } from '../../core/time/duration.ts';
import { timersInForce } from '../../core/time/timers-in-force.ts';
import { Line } from './line.ts';
import type { Quota } from './quota/quota.ts';
import { RateWaiter } from './rate-waiter.ts';

/** How many may wait, and for how long. */
export interface Patience {
  readonly queue: number;
  readonly maxWaitMs: number;
}

/** Why a call may not wait. */
export type Refusal = (waitMs: number, why: 'too_long' | 'queue_full') => RejectedError;

/** Timers tick in whole milliseconds: so much later than predicted is still in time. */
const TIMER_SLACK_MS = 1;

/**
 * Calls that wait for tokens: one line, first come first served, and one timer for all of it. A call that retries after a pause has a token kept for
 * it from the moment when its retry is certain, and is served before the others.
 */
export class WaitingRoom {
  readonly #clock: Clock;
  readonly #quota: Quota;
  readonly #patience: Patience;
  readonly #refuse: Refusal;
  readonly #line = new Line();
  #kept = 0;
  #timer: Timer | undefined;
  /** The timers of the process when `#timer` started. Once a test has replaced them, nobody can say that it will still fire. */
  #timersAtStart: unknown = undefined;

  constructor(clock: Clock, quota: Quota, patience: Patience, refuse: Refusal) {
    this.#clock = clock;
    this.#quota = quota;
    this.#patience = patience;
    this.#refuse = refuse;
  }

  /** Calls that wait. */
  get queued(): number {
    return this.#line.size;
  }

  /** Takes a token at once. @returns whether there was one, for whom nobody waits and which is kept for nobody */
  take(now: number, isRetry: boolean): boolean {
    if (isRetry) return this.#line.retries === 0 && this.#quota.take(now, 0);
    return this.#line.size === 0 && this.#quota.take(now, this.#kept);
  }

  /** @returns milliseconds until there is a token for a call that would be the last in the line */
  waitMs(now: number): number {
    return this.#quota.waitMs(now, this.#ahead(this.#line.size - this.#line.retries) + 1);
  }

  /** Keeps a token for a call that will retry after a pause, until {@link unkeep}. */
  keep(): void {
    this.#kept += 1;
  }

  /** The call has its token, or does not retry. */
  unkeep(): void {
    this.#kept -= 1;
    this.serve();
  }

  /**
   * @param isRetry whether the call retries after a pause: it waits as long as it takes, wherever there is room
   * @param maxWaitMs how long this call may still wait
   * @returns a place at the end of the line, or the error where there is none, or where the turn would come too late
   */
  enter(
    now: number,
    isRetry: boolean,
    maxWaitMs: number = this.#patience.maxWaitMs,
  ): RateWaiter | RejectedError {
    const { queue } = this.#patience;
    const waitMs = isRetry ? this.#quota.waitMs(now, this.#line.retries + 1) : this.waitMs(now);
    if (!Number.isFinite(now)) return this.#refuse(waitMs, 'too_long');
    if (!isRetry && (maxWaitMs <= 0 || waitMs > maxWaitMs)) return this.#refuse(waitMs, 'too_long');
    if (!isRetry && this.#line.size >= queue) return this.#refuse(waitMs, 'queue_full');
    const dueAt = isRetry ? Number.POSITIVE_INFINITY : now + maxWaitMs;
    const waiter = new RateWaiter(dueAt, (leaving) => this.#leave(leaving), isRetry);
    this.#line.add(waiter);
    const { head } = this.#line;
    if (head === waiter) this.#setTimer(waitMs);
    else if (head && this.#timersAtStart !== timersInForce()) this.#setTimer(this.#headWaitMs(now, head));
    return waiter;
  }

  /** Gives tokens to those whose turn it is, sends away those whose turn would now come too late, and sets the timer to the next turn. */
  serve(): void {
    if (this.#line.size === 0) return;
    const now = this.#clock.now();
    this.#stopTimer();
    for (const waiter of this.#line) {
      if (!this.#quota.take(now, waiter.isRetry ? 0 : this.#kept)) break;
      this.#line.delete(waiter);
      waiter.takenAt = now;
      waiter.grant();
    }
    this.#dismiss(now);
    const { head } = this.#line;
    if (head) this.#setTimer(this.#headWaitMs(now, head));
  }

  #headWaitMs(now: number, head: RateWaiter): number {
    return this.#quota.waitMs(now, head.isRetry ? 1 : this.#kept + 1);
  }

  /** Tokens that go to others before a call that has `others` in front of it and does not retry. */
  #ahead(others: number): number {
    return Math.max(this.#kept, this.#line.retries) + others;
  }

  #dismiss(now: number): void {
    let others = 0;
    for (const waiter of this.#line) {
      if (waiter.isRetry) continue;
      const waitMs = this.#quota.waitMs(now, this.#ahead(others) + 1);
      if (now + waitMs > waiter.dueAt + TIMER_SLACK_MS) {
        this.#line.delete(waiter);
        waiter.refuse(this.#refuse(waitMs, 'too_long'));
      } else {
        others += 1;
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
