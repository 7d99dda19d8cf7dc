import { LRUCache } from 'lru-cache';
import { errorLine } from '../core/error-line.ts';
import { ConfigError } from '../core/errors.ts';
import type { BreakerState, GuardEvent } from '../core/events.ts';
import { BREAKER_STATES } from '../core/events.ts';
import type { CallOutcome } from '../core/outcome.ts';
import { tally } from '../core/stats.ts';
import type { BreakerHandle } from '../policies/breaker/index.ts';
import { breakerHandle } from '../policies/breaker/index.ts';
import type { CacheHandle, CacheHit, TierListener } from '../policies/cache/index.ts';
import { Cache, cacheHandle } from '../policies/cache/index.ts';
import type { LimiterHandle } from '../policies/rate-limit/index.ts';
import { limiterHandle } from '../policies/rate-limit/index.ts';
import { argumentProblem, CallHints } from './call/call-arguments.ts';
import type { CallOptions, GuardedFunction } from './call/call.ts';
import { accountOf, Call } from './call/call.ts';
import { OuterLayers } from './call/outer-layers.ts';
import { Pipeline } from './call/pipeline.ts';
import type { Seats } from './call/reporter.ts';
import { Reporter } from './call/reporter.ts';
import type { ShortPath } from './call/short-path.ts';
import { shortPathFor } from './call/short-path.ts';
import type { Guard } from './guard.ts';
import type { GuardPlace } from './names/guard-place.ts';
import { keepPolicies } from './names/same-options.ts';
import { addKeys, countersFor, originsOf } from './options/counter-keys.ts';
import { describe } from './options/describe.ts';
import type { GuardOptions, ResolvedGuard } from './options/options.ts';
import type { PolicyMechanisms } from './options/policies.ts';
import { resolveGuard, withoutPolicies } from './options/resolve.ts';
import type { GuardSnapshot } from './snapshot.ts';
import { snapshotOf } from './snapshot.ts';

/** A guard: it takes each call through the policies that are in force, and changes them. */
export class PolicyGuard implements Guard {
  readonly name: string;
  readonly key: string | undefined;
  readonly #place: GuardPlace;
  readonly #seats: Seats;
  readonly #reporter: Reporter;
  readonly #root: PolicyGuard;
  readonly #keys: LRUCache<string, PolicyGuard> | undefined;
  readonly #hints: CallHints;
  #options: ResolvedGuard;
  #pipeline: Pipeline;
  #shortPath: ShortPath | undefined;
  #cache: Cache | undefined;
  #outerLayers: OuterLayers | undefined;
  #breakerHandle: BreakerHandle | undefined;
  #limiterHandle: LimiterHandle | undefined;
  #cacheHandle: CacheHandle | undefined;
  #isOn = true;
  #barePipeline: Pipeline | undefined;

  constructor(
    name: string,
    place: GuardPlace,
    seats: Seats,
    keyed?: { readonly root: PolicyGuard; readonly key: string },
  ) {
    this.name = name;
    this.key = keyed?.key;
    this.#place = place;
    this.#seats = seats;
    const { options } = place;
    this.#options = options;
    this.#root = keyed?.root ?? this;
    this.#reporter = keyed ? keyed.root.#reporter : new Reporter(name, countersFor(options), seats);
    this.#hints = keyed ? keyed.root.#hints : new CallHints((hint) => this.#reporter.warn(hint));
    this.#pipeline = new Pipeline(options, this.#reporter, seats, this.key);
    this.#shortPath = this.#newShortPath();
    this.#cache = keyed ? keyed.root.#cache : this.#newCache();
    this.#outerLayers = this.#newOuterLayers();
    if (keyed) return;
    this.#reporter.peer = options.peer;
    this.#keys = new LRUCache({ max: options.maxKeys });
    this.#publish();
  }

  get breaker(): BreakerHandle | undefined {
    if (!this.#pipeline.mechanisms.breaker) return undefined;
    this.#breakerHandle ??= breakerHandle(() => this.#pipeline.mechanisms.breaker);
    return this.#breakerHandle;
  }

  get limiter(): LimiterHandle | undefined {
    if (!this.#pipeline.mechanisms.rateLimit) return undefined;
    this.#limiterHandle ??= limiterHandle(
      () => this.#pipeline.mechanisms.rateLimit,
      () => this.#seats.clock.now(),
    );
    return this.#limiterHandle;
  }

  get cache(): CacheHandle | undefined {
    if (!this.#cache) return undefined;
    this.#cacheHandle ??= cacheHandle(() => this.#cache);
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
      if (this.#shortPath && this.enabled) {
        const run = this.#shortPath.run(operation, fn, options);
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
    const keys = this.#root.#keys;
    const known = keys?.get(key);
    if (known) return known;
    if (typeof key !== 'string' || key.length === 0 || key.length > 200) {
      const given: unknown = key;
      const got = typeof given === 'string' ? `one of ${given.length}` : `a value of type ${typeof given}`;
      throw new ConfigError(`guard "${this.name}"`, [
        `Expected the key to be a string of 1 to 200 characters, got ${got}. Use the host or the id of the tenant.`,
      ]);
    }
    const guard = new PolicyGuard(this.name, this.#place, this.#seats, { root: this.#root, key });
    keys?.set(key, guard);
    return guard;
  }

  update(options: GuardOptions): void {
    const root = this.#root;
    const newer = resolveGuard(this.name, options, this.#seats.warn);
    const resolved = keepPolicies(root.#options, newer);
    const before = root.#pipeline;
    const pipeline = new Pipeline(resolved, root.#reporter, this.#seats, undefined, before);
    root.#options = resolved;
    root.#place.options = resolved;
    root.#reporter.peer = resolved.peer;
    root.#pipeline = pipeline;
    root.#shortPath = root.#newShortPath();
    if (root.#cache && resolved.cache) root.#cache.update(resolved.cache);
    else root.#cache = root.#newCache();
    root.#outerLayers = root.#newOuterLayers();
    root.#keys?.clear();
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
    const keys = this.#root.#keys;
    if (this.key === undefined) {
      this.#place.leave();
      this.#reporter.retire();
    } else if (keys?.peek(this.key) === this) keys.delete(this.key);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  describe(): string {
    return describe(this.name, this.#options, this.#mechanisms, this.enabled);
  }

  on(listener: (event: GuardEvent) => void): () => void {
    return this.#reporter.on(listener);
  }

  snapshot(): GuardSnapshot {
    return snapshotOf(this.#reporter, this.#mechanisms, this.#keys?.size ?? 0, this.enabled);
  }

  #newCall<T>(operation: string, fn: GuardedFunction<T>, options: CallOptions | undefined): Call<T> {
    const { makeRequestId } = this.#reporter;
    const label = this.#reporter.operation(operation);
    return new Call(this.name, label, fn, options, makeRequestId, this.#options.inherit);
  }

  /** The operation itself, not its label, of which there are only so many. */
  #cacheKey(operation: string, options: CallOptions | undefined): string | undefined {
    const cache = this.#cache;
    if (!cache) return undefined;
    const key = options?.cacheKey;
    this.#hints.asked(key);
    return key === undefined ? undefined : cache.keyOf(operation, key);
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
    const outer = this.#outerLayers;
    if (!outer) return this.#pipeline.run(call, true);
    if (cacheKey !== undefined && !call.signal?.aborted) {
      const hit = outer.fresh(call, cacheKey);
      if (hit) return Promise.resolve(hit.value as T);
    }
    return outer.run(call, this.#pipeline, cacheKey);
  }

  /** The pipeline while the policies are off. */
  #bare(): Pipeline {
    this.#barePipeline ??= new Pipeline(withoutPolicies(this.name), this.#reporter, this.#seats);
    return this.#barePipeline;
  }

  /** The policies that have state, as they are in force. */
  get #mechanisms(): PolicyMechanisms {
    return { ...this.#pipeline.mechanisms, cache: this.#cache };
  }

  #newShortPath(): ShortPath | undefined {
    return shortPathFor(this.#options, this.#pipeline.mechanisms.breaker, this.#reporter);
  }

  #newCache(): Cache | undefined {
    const { cache } = this.#options;
    return cache && new Cache(cache, this.#seats.clock, this.#seats.random, tierListener(this.#reporter));
  }

  #newOuterLayers(): OuterLayers | undefined {
    const { fallback } = this.#options;
    const cache = this.#cache;
    return cache || fallback
      ? new OuterLayers({ cache, fallback }, this.#seats.clock, this.#reporter)
      : undefined;
  }

  /** Shows the guard's numbers and states; those of the pipeline and the cache that are in force now. */
  #publish(): void {
    const { counters } = this.#reporter;
    const keys = this.#keys;
    this.#reporter.publish({
      name: this.name,
      counters,
      origins: originsOf(this.#options),
      ...this.#mechanisms,
      keys: keys && {
        get size() {
          return keys.size;
        },
        byBreakerState: () => byState(keys.values()),
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
  };
}

/** Counts keyed guards by the state of their breaker; one without a breaker counts as `disabled`. */
function byState(guards: Iterable<Guard>): Readonly<Record<BreakerState, number>> {
  const counts = tally(BREAKER_STATES);
  for (const guard of guards) counts[guard.breaker?.state ?? 'disabled'] += 1;
  return counts;
}
