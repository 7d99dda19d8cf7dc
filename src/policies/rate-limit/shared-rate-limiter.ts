import type { ErrorSource } from '../../core/errors.ts';
import { RejectedError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { systemRandom } from '../../core/random.ts';
import type { StoreWatch } from '../../core/store-watch.ts';
import type { Clock, Timer } from '../../core/time/clock.ts';
import type { DeadlineList } from '../../core/time/deadline-node.ts';
import type { Deadlines } from '../../core/time/deadlines.ts';
import { deadlinesFor } from '../../core/time/deadlines.ts';
import { MAX_TIMER_MS } from '../../core/time/duration.ts';
import { AskedStore } from './asked-store.ts';
import type { LimiterStore, Taken } from './limiter-store.ts';
import { Line } from './line.ts';
import type { ResolvedRateLimit } from './options.ts';
import { Pause } from './quota/pause.ts';
import type { Limiter } from './rate-limiter.ts';
import { RateLimiter } from './rate-limiter.ts';
import { RateWaiter } from './rate-waiter.ts';
import { rateLimited, storeAway } from './refusal.ts';
import type { Refusal } from './waiting-room.ts';
import { shareOf } from './without-store.ts';

/** Those who wait in several processes ask again at different times: up to this part of an interval later. */
const ASK_SPREAD = 0.1;

/** What a shared limit counts beyond the refusals. */
export interface StoreCounters {
  /** Questions that the store did not answer, not in time, or with something that is no {@link Taken}. */
  readonly failures: number;
  /** Calls that went on without a limit because the store was away (`failOpen`). */
  readonly unlimited: number;
}

/**
 * A limit that several processes keep together in a {@link LimiterStore}. Calls ask the store side by side while it grants; once it refuses,
 * calls line up here, and only the first in the line asks.
 */
export class SharedRateLimiter implements Limiter {
  readonly limit: number;
  readonly #options: ResolvedRateLimit;
  readonly #store: AskedStore;
  readonly #clock: Clock;
  readonly #source: ErrorSource;
  readonly #random: Random;
  readonly #refuse: Refusal;
  readonly #intervalMs: number;
  readonly #local: RateLimiter;
  readonly #line = new Line();
  readonly #pause = new Pause();
  readonly #deadlines: Deadlines;
  readonly #maxWait: DeadlineList;
  #timer: Timer | undefined;
  #isHeadAsking = false;
  #unlimited = 0;
  /** The time on the clock from which the store may have a token for the first in the line. */
  #turnAt = Number.NEGATIVE_INFINITY;
  /** The first in the line, if its time was over while the store was asked for it: that answer decides. */
  #overdue: RateWaiter | undefined;

  constructor(
    options: ResolvedRateLimit,
    store: LimiterStore,
    key: string,
    clock: Clock,
    source: ErrorSource = {},
    random: Random = systemRandom,
    watch?: StoreWatch,
  ) {
    this.limit = options.limit;
    this.#options = options;
    this.#store = new AskedStore(options, store, key, clock, watch);
    this.#clock = clock;
    this.#source = source;
    this.#random = random;
    this.#refuse = rateLimited(options, source);
    this.#intervalMs = options.perMs / options.limit;
    this.#local = new RateLimiter(shareOf(options), clock, source);
    this.#deadlines = deadlinesFor(clock);
    this.#maxWait = this.#deadlines.list(options.maxWaitMs);
  }

  get counters(): StoreCounters {
    return { failures: this.#store.failures, unlimited: this.#unlimited };
  }

  get available(): number {
    return this.#line.size > 0 ? 0 : this.#store.available;
  }

  get queued(): number {
    return this.#line.size + this.#local.queued;
  }

  get pausedMs(): number {
    return this.#pause.leftMs(this.#clock.now());
  }

  enter(now: number, isRetry: boolean = false): RateWaiter | RejectedError | undefined {
    return this.#enter(now, isRetry ? Number.POSITIVE_INFINITY : this.#options.maxWaitMs, isRetry);
  }

  async tryAcquire(now: number): Promise<number> {
    try {
      const entry = this.#enter(now, 0, false);
      if (entry instanceof RejectedError) throw entry;
      await entry?.granted;
      return 0;
    } catch (error) {
      return error instanceof RejectedError ? (error.retryAfterMs ?? this.#intervalMs) : this.#intervalMs;
    }
  }

  /** The store of a bucket takes no token back: the next call finds it an interval later. */
  giveBack(enteredAt: number, turn?: RateWaiter): void {
    if (turn && !Number.isNaN(turn.storedAt)) void this.#giveBackToStore(turn.storedAt);
    else if (this.#options.onStoreFailure === 'localShare') this.#local.giveBack(enteredAt, turn);
  }

  slowDown(retryAfterMs: number): void {
    const now = this.#clock.now();
    this.#local.slowDown(retryAfterMs);
    // Whoever stays in the line finds the pause when its turn to ask comes.
    if (this.#pause.begin(retryAfterMs, now)) this.#dismiss(now, this.#pause.leftMs(now));
  }

  /** Other processes have the token of the store: here the call is only the first in the line. */
  keep(): void {
    this.#local.keep();
  }

  unkeep(): void {
    this.#local.unkeep();
  }

  reset(): void {
    this.#pause.end();
    this.#local.reset();
    if (this.#line.size > 0) this.#askAfter(this.#clock.now(), 0);
  }

  #enter(now: number, maxWaitMs: number, isRetry: boolean): RateWaiter | RejectedError | undefined {
    if (this.#store.restLeftMs(now) > 0) return this.#withoutStore(now, maxWaitMs, isRetry);
    const waiter = new RateWaiter(
      now + maxWaitMs,
      (leaving) => this.#leave(leaving),
      isRetry,
      (due) => this.#expire(due),
    );
    const pauseMs = this.#pause.leftMs(now);
    if (this.#line.size === 0 && pauseMs === 0) {
      void this.#ask(waiter);
    } else {
      const refusal = this.#lineUp(waiter, now, this.#waitMs(now, pauseMs));
      if (refusal) return refusal;
      if (this.#line.size === 1) this.#askAfter(now, pauseMs);
    }
    // Not for a retry, which waits as long as it takes, and not for a call that may not wait.
    if (!isRetry && maxWaitMs > 0) this.#deadlines.arm(this.#maxWait, waiter, now);
    return waiter;
  }

  /** When a call at the end of the line would have its turn: at the earliest, since the store alone knows. */
  #waitMs(now: number, pauseMs: number): number {
    const behind = this.#behindMs(this.#line.size);
    if (pauseMs > 0) return pauseMs + behind;
    if (this.#options.algorithm === 'bucket') return behind + this.#intervalMs;
    return Math.max(this.#turnAt - now, this.#intervalMs) + behind;
  }

  /** How much later than the first in the line the one at `position` has its turn. A window may give all of its tokens at once. */
  #behindMs(position: number): number {
    const { algorithm, limit, perMs } = this.#options;
    return algorithm === 'bucket' ? position * this.#intervalMs : Math.floor(position / limit) * perMs;
  }

  #withoutStore(now: number, maxWaitMs: number, isRetry: boolean): RateWaiter | RejectedError | undefined {
    switch (this.#options.onStoreFailure) {
      case 'failOpen':
        this.#unlimited += 1;
        return undefined;
      case 'failClosed':
        return storeAway(this.#source, this.#store.restLeftMs(now), this.#store.lastError);
      case 'localShare':
        return this.#local.enter(now, isRetry, maxWaitMs);
    }
  }

  /** Asks for a call that is not in the line. */
  async #ask(waiter: RateWaiter): Promise<void> {
    let taken: Taken;
    try {
      taken = await this.#store.take();
    } catch {
      this.#settleWithoutStore(waiter);
      return;
    }
    if (taken.granted) {
      this.#hand(taken, waiter);
      return;
    }
    const now = this.#clock.now();
    const waitMs = taken.retryAfterMs + this.#behindMs(waiter.isRetry ? this.#line.retries : this.#line.size);
    const refusal = this.#lineUp(waiter, now, waitMs);
    if (refusal) this.#sendAway(waiter, refusal);
    else if (this.#line.head === waiter) this.#askAfter(now, taken.retryAfterMs, this.#spreadMs());
  }

  /** Asks for whoever is first in the line, until the store refuses or nobody is left. */
  async #askForHead(): Promise<void> {
    if (this.#isHeadAsking) return;
    this.#isHeadAsking = true;
    try {
      while (this.#line.size > 0) {
        const askedAt = this.#clock.now();
        const pauseMs = this.#pause.leftMs(askedAt);
        if (pauseMs > 0) {
          this.#askAfter(askedAt, pauseMs);
          return;
        }
        const taken = await this.#store.take();
        if (taken.granted) {
          this.#hand(taken, undefined);
          this.#dismissOverdue();
        } else {
          const now = this.#clock.now();
          this.#dismiss(now, taken.retryAfterMs);
          if (this.#line.size > 0) this.#askAfter(now, taken.retryAfterMs, this.#spreadMs());
          return;
        }
      }
    } catch {
      const waiters = [...this.#line];
      this.#line.clear();
      for (const waiter of waiters) this.#settleWithoutStore(waiter);
    } finally {
      this.#isHeadAsking = false;
      this.#overdue = undefined;
    }
  }

  async #giveBackToStore(at: number): Promise<void> {
    const isBack = await this.#store.giveBack(at);
    if (isBack && this.#line.size > 0) this.#askAfter(this.#clock.now(), 0);
  }

  /** Gives a token to `waiter` or, where that one has gone, to the first in the line; with nobody there it goes back. */
  #hand({ at }: Taken, waiter: RateWaiter | undefined): void {
    const next = waiter && !waiter.hasLeft ? waiter : this.#line.head;
    if (!next) {
      if (at !== undefined) void this.#giveBackToStore(at);
      return;
    }
    this.#line.delete(next);
    this.#deadlines.disarm(next);
    next.storedAt = at ?? Number.NaN;
    next.grant();
  }

  #settleWithoutStore(waiter: RateWaiter): void {
    const now = this.#clock.now();
    this.#deadlines.disarm(waiter);
    const entry = this.#withoutStore(now, waiter.dueAt - now, waiter.isRetry);
    waiter.takenAt = now;
    if (entry === undefined) waiter.grant();
    else if (entry instanceof RejectedError) waiter.refuse(entry);
    else waiter.follow(entry);
  }

  /** @returns the error where there is no place, or where the turn would come too late */
  #lineUp(waiter: RateWaiter, now: number, waitMs: number): RejectedError | undefined {
    if (waiter.hasLeft) return undefined;
    if (!(now + waitMs <= waiter.dueAt) || waiter.dueAt <= now) return this.#refuse(waitMs, 'too_long');
    if (!waiter.isRetry && this.#line.size >= this.#options.queue) return this.#refuse(waitMs, 'queue_full');
    this.#line.add(waiter);
    return undefined;
  }

  /** Sends away those whose turn would come too late. */
  #dismiss(now: number, firstInMs: number): void {
    let position = 0;
    for (const waiter of this.#line) {
      const waitMs = firstInMs + this.#behindMs(position);
      if (now + waitMs > waiter.dueAt || waiter.dueAt <= now)
        this.#sendAway(waiter, this.#refuse(waitMs, 'too_long'));
      else position += 1;
    }
  }

  /** The answer that an overdue call waited for went to a retry that came before it. */
  #dismissOverdue(): void {
    const waiter = this.#overdue;
    if (waiter && this.#line.has(waiter)) this.#sendAway(waiter, this.#refuse(this.#intervalMs, 'too_long'));
    this.#overdue = undefined;
  }

  /** The time of `waiter` is over. If the store may have a token for it now, one last question decides. */
  #expire(waiter: RateWaiter): void {
    if (!this.#line.has(waiter)) return;
    if (this.#isHeadAsking && this.#line.head === waiter) {
      this.#overdue = waiter;
      return;
    }
    const now = this.#clock.now();
    const turnMs = this.#turnAt - now + this.#behindMs(this.#line.before(waiter));
    const waitMs = Math.max(turnMs, this.#pause.leftMs(now));
    if (waitMs > 0) {
      this.#sendAway(waiter, this.#refuse(waitMs, 'too_long'));
    } else {
      this.#leave(waiter);
      void this.#ask(waiter);
    }
  }

  #sendAway(waiter: RateWaiter, refusal: RejectedError): void {
    this.#leave(waiter);
    waiter.refuse(refusal);
  }

  #leave(waiter: RateWaiter): boolean {
    this.#deadlines.disarm(waiter);
    this.#line.delete(waiter);
    if (this.#line.size === 0) this.#stopTimer();
    return true;
  }

  #spreadMs(): number {
    return this.#random() * ASK_SPREAD * this.#intervalMs;
  }

  /** The first in the line asks when its turn has come, `spreadMs` later. */
  #askAfter(now: number, delayMs: number, spreadMs: number = 0): void {
    this.#stopTimer();
    this.#turnAt = now + delayMs;
    const wholeMs = Math.min(MAX_TIMER_MS, Math.ceil(delayMs + spreadMs));
    this.#timer = this.#clock.setTimer(() => void this.#askForHead(), wholeMs);
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
