import { LRUCache } from 'lru-cache';
import type { Random } from '../../core/random.ts';
import type { Tally } from '../../core/stats.ts';
import { tally } from '../../core/stats.ts';
import type { Clock } from '../../core/time/clock.ts';
import { isRefusal } from '../cockatiel-rejection.ts';
import type { Arrival } from './arrival.ts';
import { ageOf, arrivalOf, ORIGIN_OF } from './arrival.ts';
import { CacheKeys, prefixOf } from './cache-keys.ts';
import type { CacheHit, Entry } from './entry.ts';
import { isAnswer, negativeEntry, valueEntry, worth } from './entry.ts';
import { Flight } from './flight.ts';
import { isOnceOnly, refuseOnceOnly } from './once-only.ts';
import type { ResolvedCache } from './options.ts';
import type {
  CacheCaller,
  CacheLoad,
  CacheNegative,
  CacheRequestResult,
  CacheResult,
  CacheValue,
} from './result.ts';
import { CACHE_RESULTS } from './result.ts';
import type { CacheTier, TierListener } from './tier.ts';
import { TierGate } from './tier.ts';

/**
 * Values by key, with one load for each key at a time. Ages are measured on the monotonic clock: a correction of the wall clock makes nothing
 * older or younger.
 */
export class Cache {
  /** Answered requests, by result: each request is counted once, also where its load fails or its caller leaves. */
  readonly counts: Tally<CacheRequestResult> = tally(CACHE_RESULTS);
  /** Loads in the background. */
  refreshes = 0;
  /** Loads in the background that failed. */
  refreshFailures = 0;
  /** Operations of the second tier that failed or took too long. */
  tierFailures = 0;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #tierListener: TierListener;
  readonly #flights = new Map<string, Flight<Arrival>>();
  #options: ResolvedCache;
  #keys: CacheKeys;
  #entries: LRUCache<string, Entry>;
  #tier: TierGate | undefined;

  /** @param listener told how the second tier does; what it throws is ignored */
  constructor(options: ResolvedCache, clock: Clock, random: Random, listener?: TierListener) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#tierListener = {
      failed: (error, what) => {
        this.tierFailures += 1;
        listener?.failed(error, what);
      },
      answered: () => listener?.answered(),
      warn: (about, message) => listener?.warn?.(about, message),
    };
    this.#keys = new CacheKeys(options.maxEntries);
    this.#entries = new LRUCache({ max: options.maxEntries });
    this.#tier = this.#newTier();
  }

  /**
   * The key of what `operation` calls `key`: operations share a cache, and not what they call a thing.
   * @param scope the key of a guard, such as a tenant, which has values of its own unless the keys share theirs
   */
  keyOf(operation: string, key: string, scope?: string): string {
    return this.#keys.of(operation, key, this.#options.shared ? undefined : scope);
  }

  /** Keys that the cache holds: fresh and stale values, and remembered errors. */
  get entries(): number {
    return this.#entries.size;
  }

  /** Whether there is a second tier, or was one that failed. */
  get hasTier(): boolean {
    return this.#tier !== undefined || this.tierFailures > 0;
  }

  /** Loads that are running. */
  get loading(): number {
    return this.#flights.size;
  }

  /**
   * The value under `key` if it is fresh: the fast path, without a promise.
   * @param now the time on the clock, which the caller has read anyway
   * @returns `undefined` for anything else, which {@link through} then deals with and counts
   */
  fresh(key: string, now: number): CacheHit | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || now >= entry.freshUntil || entry.negative) return undefined;
    this.counts.hit += 1;
    return entry;
  }

  /**
   * The value under `key`, loaded where the cache has none. Callers of one key share one load.
   * @param load what gives the value; it has to end some time, since all callers of the key wait for it
   * @returns the value with where it came from, or a remembered error
   * @throws what `load` throws, where there is no stale value to stand in; the reason of the caller's own signal; `KeelsonError`
   *   (`ERR_KEELSON_CACHE_VALUE`) where `load` gives a value that can be read once only
   */
  async through<T>(key: string, load: CacheLoad<T>, caller?: CacheCaller): Promise<CacheResult<T>> {
    caller?.signal?.throwIfAborted();
    const now = this.#clock.now();
    const entry = this.#entries.get(key);
    if (!entry) return this.#wait(key, load, caller);
    switch (worth(entry, now)) {
      case 'fresh':
        return this.#answer('hit', entry, now);
      case 'negative':
        return this.#negative(entry, now);
      case 'backing_off':
        return this.#answer('stale_error', entry, now);
      case 'stale':
        if (now >= entry.retryAt && !this.#flights.has(key)) this.#refresh(key, load, caller, true);
        return this.#answer('stale', entry, now);
      case 'expired':
      case 'dead':
        return this.#wait(key, load, caller);
    }
  }

  /**
   * The value under `key` without loading it. The second tier is asked for what this process does not have.
   * @param allowsStale whether a value that is no longer fresh will do, as long as it may be served at all
   * @returns `undefined` if there is none
   */
  async peek(key: string, allowsStale: boolean): Promise<unknown> {
    const entry = this.#usable(key, allowsStale) ?? (await this.#peekTier(key, allowsStale));
    const result = entry && (this.#clock.now() < entry.freshUntil ? 'hit' : 'stale');
    this.counts[result ?? 'miss'] += 1;
    return entry?.value;
  }

  /**
   * Keeps a value. A load that is running goes on for those who wait for it, and its value is not kept.
   * @param ttlMs milliseconds for which it is fresh; `undefined` for those of the options, jitter included
   * @returns settles when the second tier has it too, or has failed to, which is counted
   * @throws {KeelsonError} `ERR_KEELSON_CACHE_VALUE` for a value that can be read once only
   */
  async put(key: string, value: unknown, ttlMs?: number): Promise<void> {
    refuseOnceOnly(value);
    this.#flights.delete(key);
    await this.#keep(key, value, ttlMs ?? this.#freshMs());
  }

  /**
   * Forgets a key. A load that is running goes on for those who wait for it, and its value is not kept.
   * @returns settles when the second tier has forgotten it too, or has failed to, which is counted; never rejects
   */
  async delete(key: string): Promise<void> {
    this.#entries.delete(key);
    this.#flights.delete(key);
    await this.#tier?.remove(key);
  }

  /**
   * Forgets every key of this process. The second tier, which other processes share, keeps its own.
   * @param scope forgets those of a guard's key only, unless the keys share theirs
   */
  clear(scope?: string): void {
    const start = scope === undefined || this.#options.shared ? '' : prefixOf(scope);
    for (const kept of [this.#entries, this.#flights])
      for (const key of Array.from(kept.keys())) if (key.startsWith(start)) kept.delete(key);
  }

  /** Changes the options. Values, counts and running loads stay; the new windows hold for what is loaded from now on. */
  update(options: ResolvedCache): void {
    const before = this.#options;
    this.#options = options;
    if (options.maxEntries !== before.maxEntries) {
      const entries = new LRUCache<string, Entry>({ max: options.maxEntries });
      entries.load(this.#entries.dump());
      this.#entries = entries;
      this.#keys = new CacheKeys(options.maxEntries);
    }
    const { secondTier, secondTierTimeoutMs } = options;
    if (secondTier !== before.secondTier || secondTierTimeoutMs !== before.secondTierTimeoutMs)
      this.#tier = this.#newTier();
  }

  #newTier(): TierGate | undefined {
    const { secondTier, secondTierTimeoutMs } = this.#options;
    if (!secondTier) return undefined;
    const tier = (): CacheTier => this.#options.secondTier ?? secondTier;
    return new TierGate(tier, secondTierTimeoutMs, this.#clock, this.#tierListener);
  }

  async #wait<T>(key: string, load: CacheLoad<T>, caller: CacheCaller | undefined): Promise<CacheResult<T>> {
    const running = this.#flights.get(key);
    const flight = running ?? this.#newFlight(key, caller, false);
    if (running) caller?.joined?.(running.leader);
    const arriving = flight.join(caller?.signal);
    if (!running) flight.start((signal) => this.#load(key, flight, load, signal, true));
    const otherwise = running ? 'coalesced' : 'miss';
    let arrival: Arrival;
    try {
      arrival = await arriving;
    } catch (error) {
      this.counts[otherwise] += 1;
      throw error;
    }
    const result = running && arrival.result !== 'stale_error' ? 'coalesced' : arrival.result;
    this.counts[result] += 1;
    const { ageMs, error } = arrival;
    const origin = ORIGIN_OF[arrival.result];
    return { result, value: arrival.value as T, origin, ageMs, error, leader: running?.leader };
  }

  /** Loads in the background. A failure is counted, and keeps the next refresh away for a while. */
  #refresh<T>(key: string, load: CacheLoad<T>, leader: CacheCaller | undefined, asksTier: boolean): void {
    this.refreshes += 1;
    const flight = this.#newFlight(key, leader, true);
    flight.start((signal) => this.#load(key, flight, load, signal, asksTier));
  }

  #newFlight(key: string, leader: CacheCaller | undefined, isBackground: boolean): Flight<Arrival> {
    const flight = new Flight<Arrival>(leader, isBackground, () => this.#land(key, flight));
    this.#flights.set(key, flight);
    return flight;
  }

  /** @param asksTier whether the second tier may have the value, in which case `load` is not called */
  async #load<T>(
    key: string,
    flight: Flight<Arrival>,
    load: CacheLoad<T>,
    signal: AbortSignal,
    asksTier: boolean,
  ): Promise<Arrival> {
    try {
      if (this.#tier && asksTier) {
        const shared = await this.#fromTier(key, flight, load, this.#tier);
        if (shared) return shared;
        signal.throwIfAborted();
      }
      const value = await load(signal, flight.isBackground);
      refuseOnceOnly(value);
      if (this.#isCurrent(key, flight)) void this.#keep(key, value, this.#freshMs());
      else if (flight.isUnattended) flight.leader?.dropped?.(value);
      return { result: 'miss', value, ageMs: 0, error: undefined };
    } catch (error) {
      if (isOnceOnly(error)) throw error;
      return this.#standIn(key, flight, error);
    } finally {
      this.#land(key, flight);
    }
  }

  /** Takes over what the second tier has. @returns the answer where that is good enough */
  async #fromTier<T>(
    key: string,
    flight: Flight<Arrival>,
    load: CacheLoad<T>,
    tier: TierGate,
  ): Promise<Arrival | undefined> {
    const shared = await tier.read(key);
    if (!shared || !this.#isCurrent(key, flight)) return undefined;
    const now = this.#clock.now();
    const entry = valueEntry(shared.value, now - shared.ageMs, shared.freshMs, this.#options);
    const own = this.#entries.peek(key);
    if (own && own.storedAt >= entry.storedAt) return undefined;
    const verdict = worth(entry, now);
    if (verdict === 'dead') return undefined;
    this.#entries.set(key, entry);
    if (verdict === 'expired') return undefined;
    if (verdict === 'fresh') return arrivalOf('hit', entry, now);
    if (flight.isBackground) return undefined;
    this.#refresh(key, load, flight.leader, false);
    return arrivalOf('stale', entry, now);
  }

  #usable(key: string, allowsStale: boolean): Entry | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    const verdict = worth(entry, this.#clock.now());
    const isUsable = verdict === 'fresh' || (allowsStale && verdict !== 'negative' && verdict !== 'dead');
    return isUsable ? entry : undefined;
  }

  async #peekTier(key: string, allowsStale: boolean): Promise<Entry | undefined> {
    const shared = await this.#tier?.read(key);
    const own = this.#entries.peek(key);
    const storedAt = this.#clock.now() - (shared?.ageMs ?? 0);
    if (shared && !(own && own.storedAt >= storedAt))
      this.#entries.set(key, valueEntry(shared.value, storedAt, shared.freshMs, this.#options));
    return this.#usable(key, allowsStale);
  }

  #freshMs(): number {
    const { ttlMs, jitter } = this.#options;
    return ttlMs * (1 - jitter * this.#random());
  }

  async #keep(key: string, value: unknown, freshMs: number): Promise<void> {
    this.#entries.set(key, valueEntry(value, this.#clock.now(), freshMs, this.#options));
    const { staleWhileRevalidateMs, staleIfErrorMs } = this.#options;
    const keepMs = freshMs + Math.max(staleWhileRevalidateMs, staleIfErrorMs);
    await this.#tier?.write(key, value, freshMs, keepMs);
  }

  /** Decides what a failed load means. @returns the stale value that stands in @throws the error where there is none */
  #standIn(key: string, flight: Flight<Arrival>, error: unknown): Arrival {
    if (flight.isBackground) this.refreshFailures += 1;
    if (!this.#isCurrent(key, flight)) throw error;
    const now = this.#clock.now();
    const { negativeTtlMs, negativeIf, retrySourceAfterMs } = this.#options;
    const isRemembered = negativeTtlMs > 0 && !isRefusal(error);
    const isKnown = isRemembered && isAnswer(this.#options, error, this.#tierListener.warn);
    const entry = this.#entries.peek(key);
    if (entry && !isKnown && worth(entry, now) !== 'dead') {
      entry.error = error;
      entry.retryAt = now + retrySourceAfterMs;
      return arrivalOf(now < entry.errorUntil ? 'stale_error' : 'stale', entry, now);
    }
    if (isKnown || (isRemembered && negativeIf === undefined))
      this.#entries.set(key, negativeEntry(error, now, negativeTtlMs));
    else this.#entries.delete(key);
    throw error;
  }

  #answer<T>(result: 'hit' | 'stale' | 'stale_error', entry: Entry, now: number): CacheValue<T> {
    this.counts[result] += 1;
    const { ageMs, error } = arrivalOf(result, entry, now);
    return { result, value: entry.value as T, origin: ORIGIN_OF[result], ageMs, error, leader: undefined };
  }

  #negative(entry: Entry, now: number): CacheNegative {
    this.counts.negative += 1;
    return { result: 'negative', origin: 'cache', error: entry.error, ageMs: ageOf(entry, now) };
  }

  /** Whether the flight is still the one for its key: neither forgotten nor abandoned. */
  #isCurrent(key: string, flight: Flight<Arrival>): boolean {
    return this.#flights.get(key) === flight;
  }

  #land(key: string, flight: Flight<Arrival>): void {
    if (this.#isCurrent(key, flight)) this.#flights.delete(key);
  }
}
