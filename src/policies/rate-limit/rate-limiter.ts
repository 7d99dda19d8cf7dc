import type { ErrorSource } from '../../core/errors.ts';
import type { RejectedError } from '../../core/errors.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { ResolvedRateLimit } from './options.ts';
import { Pause } from './quota/pause.ts';
import type { Quota } from './quota/quota.ts';
import { TokenBucket } from './quota/token-bucket.ts';
import { WindowLog } from './quota/window-log.ts';
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
  /** Milliseconds that are left of the pause that a server asked for; 0 without one. */
  readonly pausedMs: number;
  /** What went wrong with the shared store, for a limiter that has one. */
  readonly counters?: { readonly failures: number; readonly unlimited: number };
  /**
   * @param now the time on the clock, which the caller has read anyway
   * @param isRetry whether the call was kept a token by {@link keep}: it waits as long as it takes, and is served before the others
   * @returns nothing if a token is taken, the place in the line if the call has to wait, or the error (`ERR_KEELSON_RATE_LIMITED`)
   */
  enter(now: number, isRetry?: boolean): RateWaiter | RejectedError | undefined;
  /**
   * Takes a token if there is one that nobody waits for.
   * @returns 0 if a token is taken, else milliseconds until there is one
   */
  tryAcquire(now: number): number | Promise<number>;
  /**
   * Gives back a token that was taken and not used, because something else stopped the call.
   * @param enteredAt the time that {@link enter} was given
   * @param turn the place in the line, if the call had to wait
   */
  giveBack(enteredAt: number, turn?: RateWaiter): void;
  /**
   * Nobody gets a token before this time is over, as the server asked by 429 or 503 with `Retry-After`.
   * @param retryAfterMs milliseconds, at most a minute counts; what is not above 0 does nothing
   */
  slowDown(retryAfterMs: number): void;
  /** Keeps the first token after the pause for a call that will retry then, until {@link unkeep}. */
  keep(): void;
  /** The call that a token was kept for has it, or does not retry. */
  unkeep(): void;
  /** Ends the pause. Tokens that were taken stay taken. */
  reset(): void;
}

/** A limit of this process. */
export class RateLimiter implements Limiter {
  readonly limit: number;
  readonly #quota: Quota;
  readonly #pause = new Pause();
  readonly #clock: Clock;
  readonly #room: WaitingRoom;

  constructor(options: ResolvedRateLimit, clock: Clock, source: ErrorSource = {}) {
    this.limit = options.limit;
    this.#clock = clock;
    this.#quota =
      options.algorithm === 'window'
        ? new WindowLog(options, this.#pause)
        : new TokenBucket(options, this.#pause);
    this.#room = new WaitingRoom(clock, this.#quota, options, rateLimited(options, source));
  }

  get available(): number {
    return this.#room.queued > 0 ? 0 : this.#quota.available(this.#clock.now());
  }

  get queued(): number {
    return this.#room.queued;
  }

  get pausedMs(): number {
    return this.#pause.leftMs(this.#clock.now());
  }

  tryAcquire(now: number): number {
    if (this.#room.take(now, false)) return 0;
    const waitMs = this.#room.waitMs(now);
    return this.#room.queued > 0 ? Math.max(1, waitMs) : waitMs;
  }

  /** @param maxWaitMs how long this call may wait. @defaultValue `maxWait` of the options */
  enter(now: number, isRetry: boolean = false, maxWaitMs?: number): RateWaiter | RejectedError | undefined {
    return this.#room.take(now, isRetry) ? undefined : this.#room.enter(now, isRetry, maxWaitMs);
  }

  giveBack(enteredAt: number, turn?: RateWaiter): void {
    this.#quota.giveBack(turn ? turn.takenAt : enteredAt);
    this.#room.serve();
  }

  slowDown(retryAfterMs: number): void {
    if (this.#pause.begin(retryAfterMs, this.#clock.now())) this.#room.serve();
  }

  keep(): void {
    this.#room.keep();
  }

  unkeep(): void {
    this.#room.unkeep();
  }

  reset(): void {
    this.#pause.end();
    this.#room.serve();
  }
}
