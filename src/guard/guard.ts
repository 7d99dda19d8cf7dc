import { LRUCache } from 'lru-cache';
import { errorLine } from '../core/error-line.ts';
import { ConfigError } from '../core/errors.ts';
import type { BreakerState, GuardEvent } from '../core/events.ts';
import { BREAKER_STATES } from '../core/events.ts';
import type { CallAccount, CallOutcome } from '../core/outcome.ts';
import { tally } from '../core/stats.ts';
import type { Breaker } from '../policies/breaker/index.ts';
import type { CacheHit, TierListener } from '../policies/cache/index.ts';
import { Cache } from '../policies/cache/index.ts';
import { Answers } from './answers.ts';
import { argumentProblem, CallHints } from './call-arguments.ts';
import type { CallOptions, GuardedFunction } from './call.ts';
import { Call } from './call.ts';
import { addKeys, countersFor, originsOf } from './counted.ts';
import { describe } from './describe.ts';
import type { GuardOptions, ResolvedGuard } from './options.ts';
import { Pipeline } from './pipeline.ts';
import type { Seats } from './reporter.ts';
import { Reporter } from './reporter.ts';
import { resolveGuard } from './resolve.ts';
import type { ShortPath } from './short-path.ts';
import { shortPathFor } from './short-path.ts';
import type { GuardSnapshot } from './snapshot.ts';
import { snapshotOf } from './snapshot.ts';

/** Guards the calls to one dependency. Made by `guard(name, options)`. */
export class Guard {
  readonly name: string;
  /** The key, for a guard that `for(key)` gave. */
  readonly key: string | undefined;
  readonly #seats: Seats;
  readonly #reporter: Reporter;
  readonly #root: Guard;
  readonly #keys: LRUCache<string, Guard> | undefined;
  readonly #hints: CallHints;
  #options: ResolvedGuard;
  #pipeline: Pipeline;
  #shortPath: ShortPath | undefined;
  #cache: Cache | undefined;
  #answers: Answers | undefined;
  #isOn = true;
  #barePipeline: Pipeline | undefined;

  /** Use `guard(name, options)`, which checks the options and keeps one guard for each name. */
  constructor(
    name: string,
    options: ResolvedGuard,
    seats: Seats,
    keyed?: { readonly root: Guard; readonly key: string },
  ) {
    this.name = name;
    this.key = keyed?.key;
    this.#seats = seats;
    this.#options = options;
    this.#root = keyed?.root ?? this;
    this.#reporter = keyed ? keyed.root.#reporter : new Reporter(name, countersFor(options), seats);
    this.#hints = keyed ? keyed.root.#hints : new CallHints((hint) => this.#reporter.warn(hint));
    this.#pipeline = new Pipeline(options, this.#reporter, seats, this.key);
    this.#shortPath = this.#newShortPath();
    this.#cache = keyed ? keyed.root.#cache : this.#newCache();
    this.#answers = this.#newAnswers();
    if (keyed) return;
    this.#reporter.peer = options.peer;
    this.#keys = new LRUCache({ max: options.maxKeys });
    this.#publish();
  }

  /** The circuit breaker: its state, and the handles to force, disable and reset it. `undefined` for a guard without one. */
  get breaker(): Breaker | undefined {
    return this.#pipeline.breaker;
  }

  /** Whether the policies are on; see {@link disable}. */
  get enabled(): boolean {
    return this.#root.#isOn;
  }

  /**
   * Calls `fn` under the guard's policies.
   * @param operation what is done, as a name of few values: it names the span and labels the metrics (50 of them, then `_OTHER`)
   * @param fn the work; it should pass `signal` on
   * @returns what `fn` gives, the cache has, or the fallback makes
   * @throws what the last execution of `fn` threw; {@link TimeoutError} where it took too long; {@link RejectedError} where it never ran;
   *   the reason of the caller's signal where that aborted; {@link ConfigError} for arguments of the wrong type
   */
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

  /**
   * Calls `fn` as {@link run} does, and tells everything about it instead of throwing.
   * @throws {ConfigError} for arguments of the wrong type; nothing else
   */
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
      const { outcome = 'failure' } = call;
      return { ...accountOf(call), outcome: outcome === 'success' ? 'failure' : outcome, error };
    }
  }

  /**
   * The guard for one key, such as a host or a tenant: with a breaker, bulkhead, rate limit and retry budget of its own. Its calls count as
   * those of this guard, under the same labels; the cache is shared.
   * @param key 1 to 200 characters; so many as `keys.max` says have state, then the one that was not used for the longest time is forgotten
   */
  for(key: string): Guard {
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
    const guard = new Guard(this.name, this.#root.#options, this.#seats, { root: this.#root, key });
    keys?.set(key, guard);
    return guard;
  }

  /**
   * Changes the policies while calls are running. Counters stay, and so do the state of the breaker and what the
   * cache holds; a policy whose options are the same goes on as it is, one with other options starts anew; calls that are on their way end under
   * the old options. Keyed guards are forgotten and start anew.
   * @throws {ConfigError} for options that cannot be used: nothing has changed then
   */
  update(options: GuardOptions): void {
    const root = this.#root;
    const resolved = resolveGuard(this.name, options, this.#seats.warn);
    const before = root.#pipeline;
    const pipeline = new Pipeline(resolved, root.#reporter, this.#seats, undefined, before);
    root.#options = resolved;
    root.#reporter.peer = resolved.peer;
    root.#pipeline = pipeline;
    root.#shortPath = root.#newShortPath();
    if (root.#cache && resolved.cache) root.#cache.update(resolved.cache);
    else root.#cache = root.#newCache();
    root.#answers = root.#newAnswers();
    root.#keys?.clear();
    addKeys(root.#reporter.counters, resolved);
    root.#publish();
  }

  /** Switches every policy off: calls are only made, counted and traced. For the moment in which the guard itself is in the way. */
  disable(): void {
    this.#root.#isOn = false;
  }

  /** Switches the policies on again. */
  enable(): void {
    this.#root.#isOn = true;
  }

  /** Says in words what the guard does with a call, outermost first. */
  describe(): string {
    return describe(this.name, this.#options, this.enabled);
  }

  /**
   * Calls `listener` for everything that happens in the guard. What it throws is counted and changes nothing.
   * @returns a function that removes the listener
   */
  on(listener: (event: GuardEvent) => void): () => void {
    return this.#reporter.on(listener);
  }

  /** A copy of the guard's numbers and states. */
  snapshot(): GuardSnapshot {
    const { breaker, bulkhead, limiter } = this.#pipeline;
    return snapshotOf(
      this.#reporter,
      { breaker, bulkhead, limiter, cache: this.#cache, keys: this.#keys?.size ?? 0 },
      this.enabled,
    );
  }

  #newCall<T>(operation: string, fn: GuardedFunction<T>, options: CallOptions | undefined): Call<T> {
    const reporter = this.#reporter;
    return new Call(this.name, reporter.operation(operation), fn, options, reporter.makeRequestId);
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
    const answers = this.#answers;
    if (!answers) return this.#pipeline.run(call, true);
    if (cacheKey !== undefined && !call.signal?.aborted) {
      const hit = answers.fresh(call, cacheKey);
      if (hit) return Promise.resolve(hit.value as T);
    }
    return answers.run(call, this.#pipeline, cacheKey);
  }

  /** The pipeline while the policies are off. */
  #bare(): Pipeline {
    this.#barePipeline ??= new Pipeline(NO_POLICIES, this.#reporter, this.#seats);
    return this.#barePipeline;
  }

  #newShortPath(): ShortPath | undefined {
    return shortPathFor(this.#options, this.#pipeline.breaker, this.#reporter);
  }

  #newCache(): Cache | undefined {
    const { cache } = this.#options;
    return cache && new Cache(cache, this.#seats.clock, this.#seats.random, tierListener(this.#reporter));
  }

  #newAnswers(): Answers | undefined {
    const { fallback } = this.#options;
    const cache = this.#cache;
    return cache || fallback
      ? new Answers({ cache, fallback }, this.#seats.clock, this.#reporter)
      : undefined;
  }

  /** Shows the guard's numbers and states; those of the pipeline and the cache that are in force now. */
  #publish(): void {
    const { breaker, bulkhead, limiter } = this.#pipeline;
    const { counters } = this.#reporter;
    const keys = this.#keys;
    this.#reporter.publish({
      name: this.name,
      counters,
      origins: originsOf(this.#options),
      breaker,
      bulkhead,
      rateLimit: limiter,
      cache: this.#cache,
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

const NO_POLICIES: ResolvedGuard = {
  fallback: undefined,
  cache: undefined,
  timeout: { attemptMs: undefined, totalMs: undefined },
  retry: undefined,
  breaker: undefined,
  rateLimit: undefined,
  bulkhead: undefined,
  failedResult: undefined,
  peer: undefined,
  spanForEveryAttempt: false,
  maxKeys: 1,
  strict: false,
};

/** The account of a call that has ended. */
function accountOf<T>(call: Call<T>): CallAccount {
  return {
    origin: call.origin,
    ageMs: call.ageMs,
    attempts: call.attempts,
    ...(call.suppressed ? { suppressed: call.suppressed } : {}),
    durationMs: call.durationMs,
    requestId: call.requestId,
  };
}
