import type { ErrorSource } from '../../core/errors.ts';
import { RejectedError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { systemRandom } from '../../core/random.ts';
import type { StoreWatch } from '../../core/store-watch.ts';
import type { Clock, Timer } from '../../core/time/clock.ts';
import { MAX_TIMER_MS } from '../../core/time/duration.ts';
import type { RemoteGate } from '../../storage/index.ts';
import type { LimiterStore, Taken } from './limiter-store.ts';
import { Line } from './line.ts';
import type { ResolvedRateLimit } from './options.ts';
import { Pause } from './quota/pause.ts';
import type { Limiter } from './rate-limiter.ts';
import { RateLimiter } from './rate-limiter.ts';
import { RateWaiter } from './rate-waiter.ts';
import { rateLimited, storeAway } from './refusal.ts';
import type { Refusal } from './waiting-room.ts';
import { gateOf, shareOf } from './without-store.ts';

/** Those who wait in several processes ask again at different times: up to this part of an interval later. */
const ASK_SPREAD = 0.1;

/** What a shared limit counts beyond the refusals. */
export interface StoreCounters {
  /** Questions that the store did not answer, or not in time. */
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
  readonly #store: LimiterStore;
  readonly #key: string;
  readonly #clock: Clock;
  readonly #source: ErrorSource;
  readonly #random: Random;
  readonly #gate: RemoteGate;
  readonly #refuse: Refusal;
  readonly #intervalMs: number;
  readonly #local: RateLimiter;
  readonly #line = new Line();
  readonly #pause = new Pause();
  #timer: Timer | undefined;
  #isHeadAsking = false;
  #available: number;
  #unlimited = 0;
  /** The time on the clock at which the first in the line asks. */
  #asksAt = Number.NEGATIVE_INFINITY;

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
    this.#store = store;
    this.#key = key;
    this.#clock = clock;
    this.#source = source;
    this.#random = random;
    this.#gate = gateOf(options, clock, watch);
    this.#refuse = rateLimited(options, source);
    this.#intervalMs = options.perMs / options.limit;
    this.#local = new RateLimiter(shareOf(options), clock, source);
    this.#available = options.burst;
  }

  get counters(): StoreCounters {
    return { failures: this.#gate.failures, unlimited: this.#unlimited };
  }

  get available(): number {
    return this.#line.size > 0 ? 0 : this.#available;
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
    if (this.#line.size > 0) this.#askAfter(0);
  }

  #enter(now: number, maxWaitMs: number, isRetry: boolean): RateWaiter | RejectedError | undefined {
    if (this.#isAway(now)) return this.#withoutStore(now, maxWaitMs, isRetry);
    const waiter = new RateWaiter(now + maxWaitMs, (leaving) => this.#leave(leaving), isRetry);
    const pauseMs = this.#pause.leftMs(now);
    if (this.#line.size === 0 && pauseMs === 0) {
      void this.#ask(waiter);
      return waiter;
    }
    const refusal = this.#lineUp(waiter, now, this.#waitMs(now, pauseMs));
    if (refusal) return refusal;
    if (this.#line.size === 1) this.#askAfter(pauseMs);
    return waiter;
  }

  /** When a call at the end of the line would have its turn: at the earliest, since the store alone knows. */
  #waitMs(now: number, pauseMs: number): number {
    const behind = this.#behindMs(this.#line.size);
    if (pauseMs > 0) return pauseMs + behind;
    if (this.#options.algorithm === 'bucket') return behind + this.#intervalMs;
    return Math.max(this.#asksAt - now, this.#intervalMs) + behind;
  }

  /** How much later than the first in the line the one at `position` has its turn. A window may give all of its tokens at once. */
  #behindMs(position: number): number {
    const { algorithm, limit, perMs } = this.#options;
    return algorithm === 'bucket' ? position * this.#intervalMs : Math.floor(position / limit) * perMs;
  }

  #isAway(now: number): boolean {
    return this.#gate.restLeftMs(now) > 0;
  }

  #withoutStore(now: number, maxWaitMs: number, isRetry: boolean): RateWaiter | RejectedError | undefined {
    switch (this.#options.onStoreFailure) {
      case 'failOpen':
        this.#unlimited += 1;
        return undefined;
      case 'failClosed':
        return storeAway(this.#source, this.#gate.restLeftMs(now), this.#gate.lastError);
      case 'localShare':
        // Where nobody waits anyway, the local limit refuses by itself.
        if (maxWaitMs > 0 || this.#options.maxWaitMs === 0) return this.#local.enter(now, isRetry);
        return this.#withoutWaiting(this.#local.tryAcquire(now));
    }
  }

  #withoutWaiting(waitMs: number): RejectedError | undefined {
    return waitMs === 0 ? undefined : this.#refuse(waitMs, 'too_long');
  }

  /** Asks for a call that is not in the line. */
  async #ask(waiter: RateWaiter): Promise<void> {
    let taken: Taken;
    try {
      taken = await this.#question();
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
    if (refusal) waiter.refuse(refusal);
    else if (this.#line.head === waiter) this.#askAfter(this.#spread(taken.retryAfterMs));
  }

  /** Asks for whoever is first in the line, until the store refuses or nobody is left. */
  async #askForHead(): Promise<void> {
    if (this.#isHeadAsking) return;
    this.#isHeadAsking = true;
    try {
      while (this.#line.size > 0) {
        const pauseMs = this.#pause.leftMs(this.#clock.now());
        if (pauseMs > 0) {
          this.#askAfter(pauseMs);
          return;
        }
        const taken = await this.#question();
        if (taken.granted) {
          this.#hand(taken, undefined);
        } else {
          this.#dismiss(this.#clock.now(), taken.retryAfterMs);
          if (this.#line.size > 0) this.#askAfter(this.#spread(taken.retryAfterMs));
          return;
        }
      }
    } catch {
      const waiters = [...this.#line];
      this.#line.clear();
      for (const waiter of waiters) this.#settleWithoutStore(waiter);
    } finally {
      this.#isHeadAsking = false;
    }
  }

  async #question(): Promise<Taken> {
    const store = this.#storeNow();
    const options = this.#options;
    const taken = await this.#gate.ask(({ signal }) =>
      options.algorithm === 'window' && store.takeFromWindow
        ? store.takeFromWindow(this.#key, options, signal)
        : store.take(this.#key, options, signal),
    );
    this.#available = taken.remaining;
    return taken;
  }

  /** The options may have been given a newer object for the same store. */
  #storeNow(): LimiterStore {
    return this.#options.store ?? this.#store;
  }

  /** What fails here costs one token until it is a period old; the gate counts it. */
  async #giveBackToStore(at: number): Promise<void> {
    const store = this.#storeNow();
    if (!store.giveBack || this.#isAway(this.#clock.now())) return;
    try {
      await this.#gate.ask(({ signal }) => store.giveBack?.(this.#key, this.#options, at, signal));
    } catch {
      return;
    }
    if (this.#line.size > 0) this.#askAfter(0);
  }

  /** Gives a token to `waiter` or, where that one has gone, to the first in the line; with nobody there it goes back. */
  #hand({ at }: Taken, waiter: RateWaiter | undefined): void {
    const next = waiter && !waiter.hasLeft ? waiter : this.#line.head;
    if (!next) {
      if (at !== undefined) void this.#giveBackToStore(at);
      return;
    }
    this.#line.delete(next);
    next.storedAt = at ?? Number.NaN;
    next.grant();
  }

  #settleWithoutStore(waiter: RateWaiter): void {
    const now = this.#clock.now();
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
      if (now + waitMs > waiter.dueAt) {
        this.#line.delete(waiter);
        waiter.refuse(this.#refuse(waitMs, 'too_long'));
      } else {
        position += 1;
      }
    }
    if (this.#line.size === 0) this.#stopTimer();
  }

  #leave(waiter: RateWaiter): boolean {
    this.#line.delete(waiter);
    if (this.#line.size === 0) this.#stopTimer();
    return true;
  }

  #spread(waitMs: number): number {
    return waitMs + this.#random() * ASK_SPREAD * this.#intervalMs;
  }

  #askAfter(delayMs: number): void {
    this.#stopTimer();
    const wholeMs = Math.min(MAX_TIMER_MS, Math.ceil(delayMs));
    this.#asksAt = this.#clock.now() + wholeMs;
    this.#timer = this.#clock.setTimer(() => void this.#askForHead(), wholeMs);
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
