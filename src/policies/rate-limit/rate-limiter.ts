import type { ErrorSource } from '../../core/errors.ts';
import type { RejectedError } from '../../core/errors.ts';
import type { Clock } from '../../core/time/clock.ts';
import { Gcra, REFUSED } from './gcra.ts';
import type { ResolvedRateLimit } from './options.ts';
import type { RateWaiter } from './rate-waiter.ts';
import { rateLimited } from './refusal.ts';
import { WaitingRoom } from './waiting-room.ts';

/** What a guard asks before a call. */
export interface Limiter {
  /** Calls in a period. */
  readonly limit: number;
  /** Whole tokens that are there now; for a shared limit those that the store last spoke of. */
  readonly available: number;
  /** Calls that wait for their turn. */
  readonly queued: number;
  /** What went wrong with the shared store, for a limiter that has one. */
  readonly counters?: { readonly failures: number; readonly unlimited: number };
  /**
   * @param now the time on the clock, which the caller has read anyway
   * @returns nothing if a token is taken, the place in the line if the call has to wait, or the error (`ERR_KEELSON_RATE_LIMITED`)
   */
  enter(now: number): RateWaiter | RejectedError | undefined;
  /**
   * Takes a token if there is one that nobody waits for.
   * @returns 0 if a token is taken, else milliseconds until there is one
   */
  tryAcquire(now: number): number | Promise<number>;
  /** Gives back a token that was taken and not used, because something else stopped the call. */
  giveBack(): void;
  /**
   * Nobody gets a token before this time is over, as the server asked by 429 or `Retry-After`; after it, one gets a token, and the others follow
   * at the usual interval.
   * @param retryAfterMs milliseconds, at most an hour counts; what is not above 0 does nothing
   */
  slowDown(retryAfterMs: number): void;
}

/** The longest pause that a server can ask for. After it one call asks again. */
export const MAX_PAUSE_MS = 3_600_000;

/** @returns the milliseconds of a pause; `undefined` for what is none */
export function pauseOf(retryAfterMs: number): number | undefined {
  return retryAfterMs > 0 ? Math.min(retryAfterMs, MAX_PAUSE_MS) : undefined;
}

/** A limit of this process: a token bucket whose state is one number. */
export class RateLimiter implements Limiter {
  readonly limit: number;
  readonly #gcra: Gcra;
  readonly #clock: Clock;
  readonly #room: WaitingRoom;
  #tat = REFUSED;
  /** The state that the last pause has set. */
  #pausedTat = REFUSED;
  #longestPauseMs = 0;

  constructor(options: ResolvedRateLimit, clock: Clock, source: ErrorSource = {}) {
    this.limit = options.limit;
    this.#gcra = new Gcra(options);
    this.#clock = clock;
    const bucket = {
      take: (now: number) => this.#take(now),
      waitMs: (now: number, tokens: number) => this.#waitMs(now, tokens),
    };
    this.#room = new WaitingRoom(clock, bucket, options, rateLimited(options, source));
  }

  get available(): number {
    return this.#room.queued > 0 ? 0 : this.#gcra.available(this.#tat, this.#clock.now());
  }

  get queued(): number {
    return this.#room.queued;
  }

  tryAcquire(now: number): number {
    const queued = this.#room.queued;
    if (queued === 0 && this.#take(now)) return 0;
    const waitMs = this.#waitMs(now, queued + 1);
    return queued > 0 ? Math.max(1, waitMs) : waitMs;
  }

  enter(now: number): RateWaiter | RejectedError | undefined {
    return this.#room.queued === 0 && this.#take(now) ? undefined : this.#room.enter(now);
  }

  giveBack(): void {
    this.#tat = this.#gcra.giveBack(this.#tat, this.#pausedTat);
    this.#room.serve();
  }

  slowDown(retryAfterMs: number): void {
    const pauseMs = pauseOf(retryAfterMs);
    const now = this.#clock.now();
    if (pauseMs === undefined || !Number.isFinite(now)) return;
    this.#longestPauseMs = Math.max(this.#longestPauseMs, pauseMs);
    this.#tat = this.#gcra.pause(this.#tat, now + pauseMs);
    this.#pausedTat = this.#tat;
    this.#room.serve();
  }

  #take(now: number): boolean {
    const next = this.#gcra.take(this.#tat, now);
    if (next === REFUSED) return false;
    this.#tat = next;
    return true;
  }

  #waitMs(now: number, tokens: number): number {
    if (Number.isFinite(now)) this.#tat = this.#gcra.clamp(this.#tat, now, this.#longestPauseMs);
    return this.#gcra.waitMs(this.#tat, now, tokens);
  }
}
