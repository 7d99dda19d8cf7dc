import type { ErrorSource } from '../../core/errors.ts';
import { KeelsonError, RejectedError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { systemRandom } from '../../core/random.ts';
import type { StoreWatch } from '../../core/store-watch.ts';
import type { Clock, Timer } from '../../core/time/clock.ts';
import { MAX_TIMER_MS } from '../../core/time/duration.ts';
import { RemoteGate } from '../../storage/index.ts';
import { Gcra } from './gcra.ts';
import type { LimiterStore, Taken } from './limiter-store.ts';
import type { ResolvedRateLimit, StoreFailure } from './options.ts';
import type { Limiter } from './rate-limiter.ts';
import { pauseOf, RateLimiter } from './rate-limiter.ts';
import { RateWaiter } from './rate-waiter.ts';
import { rateLimited, storeAway } from './refusal.ts';
import type { Refusal } from './waiting-room.ts';

/** Those who wait in several processes ask again at different times: up to this part of an interval later. */
const ASK_SPREAD = 0.1;

/** What happens now, for whoever is told that the store has failed. */
const CONSEQUENCES: Readonly<Record<StoreFailure, string>> = {
  failOpen: 'Until it answers, calls go on without a limit',
  failClosed: 'Until it answers, calls are refused',
  localShare: 'Until it answers, this process keeps its own part of the limit',
};

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
  readonly #line = new Set<RateWaiter>();
  #timer: Timer | undefined;
  #isHeadAsking = false;
  #available: number;
  #unlimited = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;

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
    this.#intervalMs = new Gcra(options).intervalMs;
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

  enter(now: number): RateWaiter | RejectedError | undefined {
    return this.#enter(now, this.#options.maxWaitMs);
  }

  async tryAcquire(now: number): Promise<number> {
    try {
      const entry = this.#enter(now, 0);
      if (entry instanceof RejectedError) throw entry;
      await entry?.granted;
      return 0;
    } catch (error) {
      return error instanceof RejectedError ? (error.retryAfterMs ?? this.#intervalMs) : this.#intervalMs;
    }
  }

  /** Stores take no token back: the next call finds it an interval later. */
  giveBack(): void {
    if (this.#isAway(this.#clock.now()) && this.#options.onStoreFailure === 'localShare')
      this.#local.giveBack();
  }

  slowDown(retryAfterMs: number): void {
    const pauseMs = pauseOf(retryAfterMs);
    const now = this.#clock.now();
    if (pauseMs === undefined || !Number.isFinite(now)) return;
    this.#local.slowDown(pauseMs);
    this.#pausedUntil = Math.max(now + this.#pauseMs(now), now + pauseMs);
    // Whoever stays in the line finds the pause when its turn to ask comes.
    this.#dismiss(now, this.#pauseMs(now));
  }

  #enter(now: number, maxWaitMs: number): RateWaiter | RejectedError | undefined {
    if (this.#isAway(now)) return this.#withoutStore(now, maxWaitMs);
    const waiter = new RateWaiter(now + maxWaitMs, (leaving) => this.#leave(leaving));
    const pauseMs = this.#pauseMs(now);
    if (this.#line.size === 0 && pauseMs === 0) {
      void this.#ask(waiter);
      return waiter;
    }
    const waitMs = pauseMs + (this.#line.size + 1) * this.#intervalMs;
    const refusal = this.#lineUp(waiter, now, pauseMs > 0 ? waitMs - this.#intervalMs : waitMs);
    if (refusal) return refusal;
    if (this.#line.size === 1) this.#askAfter(pauseMs);
    return waiter;
  }

  #isAway(now: number): boolean {
    return this.#gate.restLeftMs(now) > 0;
  }

  /** A clock that has gone backwards ends the pause: the store keeps the limit with a clock of its own. */
  #pauseMs(now: number): number {
    const left = this.#pausedUntil - now;
    return left > 0 && pauseOf(left) === left ? left : 0;
  }

  #withoutStore(now: number, maxWaitMs: number): RateWaiter | RejectedError | undefined {
    switch (this.#options.onStoreFailure) {
      case 'failOpen':
        this.#unlimited += 1;
        return undefined;
      case 'failClosed':
        return storeAway(this.#source, this.#gate.restLeftMs(now), this.#gate.lastError);
      case 'localShare':
        // Where nobody waits anyway, the local limit refuses by itself.
        if (maxWaitMs > 0 || this.#options.maxWaitMs === 0) return this.#local.enter(now);
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
      this.#hand(waiter);
      return;
    }
    const now = this.#clock.now();
    const isFirst = this.#line.size === 0;
    const waitMs = taken.retryAfterMs + this.#line.size * this.#intervalMs;
    const refusal = this.#lineUp(waiter, now, waitMs);
    if (refusal) waiter.refuse(refusal);
    else if (isFirst) this.#askAfter(this.#spread(taken.retryAfterMs));
  }

  /** Asks for whoever is first in the line, until the store refuses or nobody is left. */
  async #askForHead(): Promise<void> {
    if (this.#isHeadAsking) return;
    this.#isHeadAsking = true;
    try {
      while (this.#line.size > 0) {
        const pauseMs = this.#pauseMs(this.#clock.now());
        if (pauseMs > 0) {
          this.#askAfter(pauseMs);
          return;
        }
        const taken = await this.#question();
        if (taken.granted) {
          this.#hand(undefined);
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
    // The options may have been given a newer object for the same store.
    const store = this.#options.store ?? this.#store;
    const taken = await this.#gate.ask(({ signal }) => store.take(this.#key, this.#options, signal));
    this.#available = taken.remaining;
    return taken;
  }

  /** Gives a token to `waiter` or, where that one has gone, to the first in the line; with nobody there it is lost. */
  #hand(waiter: RateWaiter | undefined): void {
    const [head] = this.#line;
    const next = waiter && !waiter.hasLeft ? waiter : head;
    if (!next) return;
    this.#line.delete(next);
    next.grant();
  }

  #settleWithoutStore(waiter: RateWaiter): void {
    const now = this.#clock.now();
    const entry = this.#withoutStore(now, waiter.dueAt - now);
    if (entry === undefined) waiter.grant();
    else if (entry instanceof RejectedError) waiter.refuse(entry);
    else waiter.follow(entry);
  }

  /** @returns the error where there is no place, or where the turn would come too late */
  #lineUp(waiter: RateWaiter, now: number, waitMs: number): RejectedError | undefined {
    if (waiter.hasLeft) return undefined;
    if (!(now + waitMs <= waiter.dueAt) || waiter.dueAt <= now) return this.#refuse(waitMs, 'too_long');
    if (this.#line.size >= this.#options.queue) return this.#refuse(waitMs, 'queue_full');
    this.#line.add(waiter);
    return undefined;
  }

  /** Sends away those whose turn would come too late. */
  #dismiss(now: number, firstInMs: number): void {
    let waitMs = firstInMs;
    for (const waiter of this.#line) {
      if (now + waitMs > waiter.dueAt) {
        this.#line.delete(waiter);
        waiter.refuse(this.#refuse(waitMs, 'too_long'));
      } else {
        waitMs += this.#intervalMs;
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
    this.#timer = this.#clock.setTimer(() => void this.#askForHead(), wholeMs);
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

function gateOf(
  { storeTimeoutMs, onStoreFailure }: ResolvedRateLimit,
  clock: Clock,
  watch: StoreWatch | undefined,
): RemoteGate {
  const consequence = `${CONSEQUENCES[onStoreFailure]} (\`onStoreFailure: '${onStoreFailure}'\`).`;
  const late = (): KeelsonError =>
    new KeelsonError('ERR_KEELSON_STORE_TIMEOUT', `The store gave no answer within ${storeTimeoutMs} ms.`, {
      hint: 'Look at the store and the way to it; raise `rateLimit.storeTimeout` if it needs longer.',
    });
  const listener = watch && {
    failed: (error: unknown): void => watch.failed(error, consequence),
    answered: (): void => watch.answered(),
  };
  return new RemoteGate({ timeoutMs: storeTimeoutMs, clock, late, listener });
}

/** What this process may do without the others: its part of the limit, in full intervals. */
function shareOf(options: ResolvedRateLimit): ResolvedRateLimit {
  const { perMs, burst, processes } = options;
  return { ...options, perMs: perMs * processes, burst: Math.max(1, Math.floor(burst / processes)) };
}
