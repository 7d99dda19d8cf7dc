import { errorLine } from '../core/error-line.ts';
import { ConfigError } from '../core/errors.ts';
import type { GuardEvent } from '../core/events.ts';
import type { CallOutcome } from '../core/outcome.ts';
import type { BreakerHandle } from '../policies/breaker/index.ts';
import { breakerHandle } from '../policies/breaker/index.ts';
import type { CacheHandle, CacheHit, TierListener } from '../policies/cache/index.ts';
import { Cache, cacheHandle } from '../policies/cache/index.ts';
import type { LimiterHandle } from '../policies/rate-limit/index.ts';
import { limiterHandle } from '../policies/rate-limit/index.ts';
import { argumentProblem, CallHints } from './call/call-arguments.ts';
import type { CallOptions, GuardedFunction } from './call/call.ts';
import { accountOf, Call } from './call/call.ts';
import { Pipeline } from './call/pipeline.ts';
import type { Seats } from './call/reporter.ts';
import { Reporter } from './call/reporter.ts';
import type { Guard } from './guard.ts';
import { byState, KeyedGuards } from './keyed-guards.ts';
import type { GuardPlace } from './names/guard-place.ts';
import { keepPolicies } from './names/same-options.ts';
import { addKeys, countersFor, originsOf } from './options/counter-keys.ts';
import { describe } from './options/describe.ts';
import type { GuardOptions, ResolvedGuard } from './options/options.ts';
import type { PolicyMechanisms } from './options/policies.ts';
import { resolveGuard, withoutPolicies } from './options/resolve.ts';
import { PoliciesInForce } from './policies-in-force.ts';
import type { GuardSnapshot } from './snapshot.ts';
import { snapshotOf } from './snapshot.ts';

/** The key of the state that keys share for which there is no room. */
const OTHER = '_OTHER';

/** A guard: it takes each call through the policies that are in force, and changes them. */
export class PolicyGuard implements Guard {
  readonly name: string;
  readonly key: string | undefined;
  readonly #place: GuardPlace;
  readonly #seats: Seats;
  readonly #reporter: Reporter;
  readonly #root: PolicyGuard;
  readonly #keys: KeyedGuards<PolicyGuard>;
  readonly #hints: CallHints;
  #policies: PoliciesInForce;
  #ownCache: Cache | undefined;
  /** The state of all keys for which there is no room. */
  #others: PoliciesInForce | undefined;
  #breakerHandle: BreakerHandle | undefined;
  #limiterHandle: LimiterHandle | undefined;
  #cacheHandle: CacheHandle | undefined;
  #isOn = true;
  #barePipeline: Pipeline | undefined;

  constructor(
    name: string,
    place: GuardPlace,
    seats: Seats,
    keyed?: { readonly root: PolicyGuard; readonly key: string; readonly policies: PoliciesInForce },
  ) {
    this.name = name;
    this.key = keyed?.key;
    this.#place = place;
    this.#seats = seats;
    const { options } = place;
    this.#root = keyed?.root ?? this;
    this.#reporter = keyed ? keyed.root.#reporter : new Reporter(name, countersFor(options), seats);
    this.#hints = keyed ? keyed.root.#hints : new CallHints((hint) => this.#reporter.warn(hint));
    this.#keys = keyed ? keyed.root.#keys : new KeyedGuards(options.maxKeys);
    if (!keyed) this.#ownCache = this.#newCache(options);
    this.#policies = keyed?.policies ?? this.#newPolicies(undefined);
    if (keyed) return;
    this.#reporter.peer = options.peer;
    this.#publish();
  }

  get breaker(): BreakerHandle | undefined {
    if (!this.#mechanisms.breaker) return undefined;
    this.#breakerHandle ??= breakerHandle(() => this.#mechanisms.breaker);
    return this.#breakerHandle;
  }

  get limiter(): LimiterHandle | undefined {
    if (!this.#mechanisms.rateLimit) return undefined;
    this.#limiterHandle ??= limiterHandle(
      () => this.#mechanisms.rateLimit,
      () => this.#seats.clock.now(),
    );
    return this.#limiterHandle;
  }

  get cache(): CacheHandle | undefined {
    if (!this.#cache) return undefined;
    this.#cacheHandle ??= cacheHandle(() => this.#cache, this.key);
    return this.#cacheHandle;
  }

  get enabled(): boolean {
    return this.#root.#isOn;
  }

  run<T>(operation: string, fn: GuardedFunction<T>, options?: CallOptions): Promise<T> {
    try {
      const problem = argumentProblem(this.name, operation, fn, options);
      if (problem) return Promise.reject(problem);
      if (options) this.#hints.look(operation, options);
      const { shortPath } = this.#use();
      if (shortPath && this.enabled) {
        const run = shortPath.run(operation, fn, options);
        if (run) return run;
      }
      const cacheKey = this.#cacheKey(operation, options);
      if (cacheKey !== undefined && this.#reporter.isUnwatched) {
        const hit = this.#unwatchedHit(cacheKey, options);
        if (hit) return Promise.resolve(hit.value as T);
      }
      return this.#launch(this.#newCall(operation, fn, options), cacheKey);
    } catch (error) {
      // Options whose properties throw: whoever awaits the call hears of it, as of everything else.
      return Promise.reject(error);
    }
  }

  async outcome<T>(
    operation: string,
    fn: GuardedFunction<T>,
    options?: CallOptions,
  ): Promise<CallOutcome<T>> {
    const problem = argumentProblem(this.name, operation, fn, options);
    if (problem) throw problem;
    if (options) this.#hints.look(operation, options);
    this.#use();
    const call = this.#newCall(operation, fn, options);
    try {
      const value = await this.#launch(call, this.#cacheKey(operation, options));
      const { outcome = 'success', underlying } = call;
      const account = accountOf(call);
      if (outcome !== 'success') return { ...account, outcome, value };
      return { ...account, outcome, value, ...(underlying === undefined ? {} : { error: underlying }) };
    } catch (error) {
      return { ...accountOf(call), outcome: call.conclude(error), error };
    }
  }

  for(key: string): PolicyGuard {
    const known = this.#keys.use(key);
    if (known) return known;
    if (typeof key !== 'string' || key.length === 0 || key.length > 200) {
      const given: unknown = key;
      const got = typeof given === 'string' ? `one of ${given.length}` : `a value of type ${typeof given}`;
      throw new ConfigError(`guard "${this.name}"`, [
        `Expected the key to be a string of 1 to 200 characters, got ${got}. Use the host or the id of the tenant.`,
      ]);
    }
    const root = this.#root;
    const hasRoom = this.#keys.makeRoom();
    const policies = hasRoom ? root.#newPolicies(key) : root.#stateOfOthers();
    const guard = new PolicyGuard(this.name, this.#place, this.#seats, { root, key, policies });
    if (hasRoom) this.#keys.add(key, guard);
    return guard;
  }

  /** Whether the state of the guard's key is in use: see `keys.max`. */
  get isBusy(): boolean {
    return this.#policies.isBusy;
  }

  forget(): void {
    this.#policies.isForgotten = true;
  }

  update(options: GuardOptions): void {
    const root = this.#root;
    const newer = resolveGuard(this.name, options, this.#seats.warn);
    const resolved = keepPolicies(root.#place.options, newer);
    root.#place.options = resolved;
    root.#reporter.peer = resolved.peer;
    if (root.#ownCache && resolved.cache) root.#ownCache.update(resolved.cache);
    else root.#ownCache = root.#newCache(resolved);
    const keyed = [...this.#keys.values].map((guard) => guard.#policies);
    for (const each of [root.#policies, ...keyed, root.#others]) each?.update(resolved, root.#ownCache);
    this.#keys.max = resolved.maxKeys;
    addKeys(root.#reporter.counters, resolved);
    root.#publish();
  }

  disable(): void {
    this.#root.#isOn = false;
  }

  enable(): void {
    this.#root.#isOn = true;
  }

  dispose(): void {
    if (this.key !== undefined) {
      this.#keys.delete(this.key, this);
      return;
    }
    this.#place.leave();
    this.#reporter.retire();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  describe(): string {
    return describe(this.name, this.#policies.options, this.#mechanisms, this.enabled);
  }

  on(listener: (event: GuardEvent) => void): () => void {
    return this.#reporter.on(listener);
  }

  snapshot(): GuardSnapshot {
    return snapshotOf(
      this.#reporter,
      this.#mechanisms,
      this.key === undefined ? this.#keys.size : 0,
      this.enabled,
    );
  }

  #newCall<T>(operation: string, fn: GuardedFunction<T>, options: CallOptions | undefined): Call<T> {
    const { makeRequestId } = this.#reporter;
    const label = this.#reporter.operation(operation);
    return new Call(this.name, label, fn, options, makeRequestId, this.#policies.options.inherit);
  }

  /** The operation itself, not its label, of which there are only so many. */
  #cacheKey(operation: string, options: CallOptions | undefined): string | undefined {
    const cache = this.#cache;
    if (!cache) return undefined;
    const key = options?.cacheKey;
    this.#hints.asked(key);
    return key === undefined ? undefined : cache.keyOf(operation, key, this.key);
  }

  /** A fresh value, counted: all there is to such a call while nobody traces, measures or listens. */
  #unwatchedHit(cacheKey: string, options: CallOptions | undefined): CacheHit | undefined {
    if (!this.enabled || options?.signal?.aborted) return undefined;
    const hit = this.#cache?.fresh(cacheKey, this.#seats.clock.now());
    if (hit) this.#reporter.countHit();
    return hit;
  }

  #launch<T>(call: Call<T>, cacheKey: string | undefined): Promise<T> {
    const span = this.#reporter.startSpan(call.operation, call);
    if (!span) return this.#flow(call, cacheKey);
    call.span = span;
    return span.run(() => this.#flow(call, cacheKey));
  }

  #flow<T>(call: Call<T>, cacheKey: string | undefined): Promise<T> {
    if (!this.#root.#isOn) return this.#root.#bare().run(call, true);
    const { outerLayers: outer, pipeline } = this.#policies;
    if (!outer) return pipeline.run(call, true);
    if (cacheKey !== undefined && !call.signal?.aborted) {
      const hit = outer.fresh(call, cacheKey);
      if (hit) return Promise.resolve(hit.value as T);
    }
    return outer.run(call, pipeline, cacheKey);
  }

  /** The pipeline while the policies are off. */
  #bare(): Pipeline {
    this.#barePipeline ??= new Pipeline(withoutPolicies(this.name), this.#reporter, this.#seats);
    return this.#barePipeline;
  }

  /** The policies that have state, as they are in force. */
  get #mechanisms(): PolicyMechanisms {
    const { pipeline } = this.#policies.isForgotten ? this.#use() : this.#policies;
    return { ...pipeline.mechanisms, cache: this.#cache };
  }

  /** The cache of the guard and its keys. */
  get #cache(): Cache | undefined {
    return this.#root.#ownCache;
  }

  /**
   * The policies for a call that begins. The guard of a key counts as used last; if its state was forgotten while somebody held it, it has the state
   * that its key has now.
   */
  #use(): PoliciesInForce {
    if (this.key === undefined) return this.#policies;
    if (this.#policies.isForgotten) this.#policies = this.for(this.key).#policies;
    else this.#keys.use(this.key);
    return this.#policies;
  }

  #newPolicies(key: string | undefined): PoliciesInForce {
    return new PoliciesInForce(this.#place.options, this.#ownCache, this.#reporter, this.#seats, key);
  }

  #stateOfOthers(): PoliciesInForce {
    this.#reporter.warnOnce(
      'keys.max',
      () =>
        `All ${this.#keys.max} keys have a call on its way, an open circuit or a limit that is used up. ` +
        `Until one of them is idle, new keys share one breaker, bulkhead, rate limit and retry budget, as \`${OTHER}\`. Raise \`keys.max\`.`,
    );
    this.#others ??= this.#newPolicies(OTHER);
    return this.#others;
  }

  #newCache({ cache }: Pick<ResolvedGuard, 'cache'>): Cache | undefined {
    return cache && new Cache(cache, this.#seats.clock, this.#seats.random, tierListener(this.#reporter));
  }

  /** Shows the guard's numbers and states; those of the pipeline and the cache that are in force now. */
  #publish(): void {
    const { counters } = this.#reporter;
    const keys = this.#keys;
    this.#reporter.publish({
      name: this.name,
      counters,
      origins: originsOf(this.#policies.options),
      ...this.#mechanisms,
      keys: {
        get size() {
          return keys.size;
        },
        byBreakerState: () => byState(keys.values),
      },
    });
  }
}

/** Warns of a second tier that fails, and once of values that it cannot take. */
function tierListener(reporter: Reporter): TierListener {
  return {
    failed: (error, what) => {
      if (what === 'tier') reporter.cacheTier.failed(error, 'Until it answers, calls go on without it.');
      else {
        const message = (): string =>
          `The second tier of the cache and this process cannot share a value: ${errorLine(error)} Calls load it.`;
        reporter.warnOnce('cache.secondTier', message);
      }
    },
    answered: () => reporter.cacheTier.answered(),
    warn: (about, message) => reporter.warnOnce(about, message),
  };
}
