import type { Clock } from '../../core/clock.ts';
import type { ErrorSource, RejectedError } from '../../core/errors.ts';
import { Gcra, REFUSED } from './gcra.ts';
import type { ResolvedRateLimit } from './options.ts';
import { pauseOf } from './rate-limiter.ts';
import type { RateWaiter } from './rate-waiter.ts';
import { rateLimited } from './refusal.ts';
import { WaitingRoom } from './waiting-room.ts';

/**
 * The same limit for each of many keys: one number for a key, one timer for all that wait. It remembers `keys` keys and forgets the one
 * that has had no token for the longest time. A key that it does not know begins with no more tokens than the fullest of those that it
 * has forgotten, so that no flood of keys gets anybody more than the limit; keys that rest have nothing to forget.
 */
export class KeyedRateLimiter {
  readonly limit: number;
  readonly #gcra: Gcra;
  readonly #clock: Clock;
  readonly #room: WaitingRoom;
  readonly #maxKeys: number;
  readonly #tats = new Map<string, number>();
  #forgotten = REFUSED;
  #longestPauseMs = 0;

  constructor(options: ResolvedRateLimit, clock: Clock, source: ErrorSource = {}) {
    this.limit = options.limit;
    this.#gcra = new Gcra(options);
    this.#clock = clock;
    this.#maxKeys = options.keys;
    const buckets = {
      take: (key: string, now: number) => this.#take(key, now),
      waitMs: (key: string, now: number, tokens: number) => this.#waitMs(key, now, tokens),
    };
    this.#room = new WaitingRoom(clock, buckets, options, rateLimited(options, source));
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#tats.size;
  }

  /** Calls that wait for their turn, whatever their key. */
  get queued(): number {
    return this.#room.queued;
  }

  /** @returns whole tokens that `key` has now */
  available(key: string): number {
    return this.#room.queuedFor(key) > 0 ? 0 : this.#gcra.available(this.#tat(key), this.#clock.now());
  }

  /**
   * Takes a token of `key` if there is one that nobody waits for.
   * @returns 0 where a token is taken, else milliseconds until there is one
   */
  tryAcquire(key: string, now: number): number {
    const queued = this.#room.queuedFor(key);
    if (queued === 0 && this.#take(key, now)) return 0;
    const waitMs = this.#waitMs(key, now, queued + 1);
    return queued > 0 ? Math.max(1, waitMs) : waitMs;
  }

  /** The same as `enter` of a {@link Limiter}, for one key. The places in the line are for all keys together. */
  enter(key: string, now: number): RateWaiter | RejectedError | undefined {
    return this.#room.queuedFor(key) === 0 && this.#take(key, now) ? undefined : this.#room.enter(key, now);
  }

  /** Gives back a token of `key` that was taken and not used. */
  giveBack(key: string): void {
    const tat = this.#tats.get(key);
    if (tat === undefined) return;
    this.#tats.set(key, this.#gcra.giveBack(tat));
    this.#room.serve();
  }

  /** The same as `slowDown` of a {@link Limiter}, for one key. */
  slowDown(key: string, retryAfterMs: number): void {
    const pauseMs = pauseOf(retryAfterMs);
    const now = this.#clock.now();
    if (pauseMs === undefined || !Number.isFinite(now)) return;
    this.#longestPauseMs = Math.max(this.#longestPauseMs, pauseMs);
    this.#keep(key, this.#gcra.pause(this.#tat(key), now + pauseMs), now);
    this.#room.serve();
  }

  #tat(key: string): number {
    return this.#tats.get(key) ?? this.#forgotten;
  }

  #take(key: string, now: number): boolean {
    const next = this.#gcra.take(this.#tat(key), now);
    if (next === REFUSED) return false;
    this.#keep(key, next, now);
    return true;
  }

  #waitMs(key: string, now: number, tokens: number): number {
    if (!Number.isFinite(now)) return this.#gcra.intervalMs;
    const known = this.#tats.get(key);
    const tat = this.#gcra.clamp(known ?? this.#forgotten, now, this.#longestPauseMs);
    if (known === undefined) this.#forgotten = tat;
    else if (tat !== known) this.#tats.set(key, tat);
    return this.#gcra.waitMs(tat, now, tokens);
  }

  /**
   * A map keeps the order of insertion: the first key is the one that has had no token for the longest time. What it has used up is not
   * forgotten; a pause that somebody asked for its sake is.
   */
  #keep(key: string, tat: number, now: number): void {
    this.#tats.delete(key);
    this.#tats.set(key, tat);
    if (this.#tats.size <= this.#maxKeys) return;
    for (const [oldest, forgotten] of this.#tats) {
      this.#tats.delete(oldest);
      this.#forgotten = Math.max(this.#forgotten, this.#gcra.clamp(forgotten, now, 0));
      return;
    }
  }
}
