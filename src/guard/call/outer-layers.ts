import type { WarnAbout } from '../../core/filter.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { Cache, CacheCaller, CacheHit, CacheResult } from '../../policies/cache/index.ts';
import type { ResolvedFallback } from '../../policies/fallback/index.ts';
import { fallsBack, seesError, standIn } from '../../policies/fallback/index.ts';
import type { CallSpan } from '../../signals/index.ts';
import type { AmbientExecution } from './ambient.ts';
import { detached } from './ambient.ts';
import { Call } from './call.ts';
import type { Pipeline, RunningCalls } from './pipeline.ts';
import type { Reporter } from './reporter.ts';

/** What can answer a call in place of its function. */
export interface OuterPolicies {
  readonly cache: Cache | undefined;
  readonly fallback: ResolvedFallback | undefined;
}

/**
 * The outer layers of a guard: fallback, then cache, then the pipeline. A fallback value is never cached, and a stale value speaks before the
 * fallback.
 */
export class OuterLayers {
  readonly #policies: OuterPolicies;
  readonly #calls: RunningCalls;
  readonly #clock: Clock;
  readonly #reporter: Reporter;
  readonly #warnOnce: WarnAbout;

  /** @param calls counts the calls, those that wait for a load of others included */
  constructor(policies: OuterPolicies, calls: RunningCalls, clock: Clock, reporter: Reporter) {
    this.#policies = policies;
    this.#calls = calls;
    this.#warnOnce = (about, message) => reporter.warnOnce(about, message);
    this.#clock = clock;
    this.#reporter = reporter;
  }

  /** A fresh value at once: the fast path of the cache, without a promise of its own. */
  fresh<T>(call: Call<T>, key: string): CacheHit | undefined {
    const now = this.#clock.now();
    const hit = this.#policies.cache?.fresh(key, now);
    if (!hit) return undefined;
    this.#reporter.begin(call, now);
    call.origin = 'cache';
    call.ageMs = Math.max(0, now - hit.storedAt);
    this.#reporter.settle(call, 'success', undefined);
    return hit;
  }

  /**
   * Takes the call to its end and reports it.
   * @param key the cache key; `undefined` for a call that is not cached
   * @throws what `guard.run` throws
   */
  async run<T>(call: Call<T>, pipeline: Pipeline, key: string | undefined): Promise<T> {
    this.#reporter.begin(call, this.#clock.now());
    const { cache } = this.#policies;
    this.#calls.running += 1;
    try {
      const value =
        cache && key !== undefined
          ? await this.#cached(call, pipeline, cache, key)
          : await pipeline.run(call, false);
      this.#reporter.settle(call, 'success', call.underlying);
      return value;
    } catch (error) {
      return this.#answerFor(call, pipeline, error);
    } finally {
      this.#calls.running -= 1;
    }
  }

  async #cached<T>(call: Call<T>, pipeline: Pipeline, cache: Cache, key: string): Promise<T> {
    const request = new CacheRequest(
      call,
      (other) => this.#link(call, other),
      (value) => void pipeline.discards.value(value, call.dispose),
    );
    const stopFollowing = request.follow(call.ambient);
    const load = (signal: AbortSignal, isBackground: boolean): Promise<T> =>
      // What is loaded belongs to all who wait for it: no guard around one of them limits it.
      detached(() =>
        isBackground ? this.#refresh(call, pipeline, signal) : this.#load(call, pipeline, signal),
      );
    let result: CacheResult<T>;
    try {
      result = await cache.through(key, load, request);
    } catch (error) {
      call.isLeft = request.signal?.aborted === true;
      call.loadedBy = request.leader?.loader ?? call.loader;
      call.attempts = call.loader?.attempts ?? 0;
      call.suppressed = call.loader?.suppressed;
      throw error;
    } finally {
      stopFollowing();
    }
    call.attempts = call.loader?.attempts ?? 0;
    call.origin = result.origin;
    call.ageMs = result.ageMs;
    if (result.result === 'negative') throw result.error;
    call.underlying = result.error;
    this.#reporter.hidden(result.error, call);
    this.#discard(call, pipeline, result.error);
    return result.value;
  }

  /** Loads for all who wait for the key: it ends when the last of them has gone, not when its first caller has. */
  #load<T>(call: Call<T>, pipeline: Pipeline, signal: AbortSignal): Promise<T> {
    const loader = this.#newLoader(call, signal);
    loader.span = call.span;
    call.loader = loader;
    return pipeline.run(loader, false);
  }

  /** Loads in the background, with a span of its own that links to the call that had the stale value. */
  async #refresh<T>(call: Call<T>, pipeline: Pipeline, signal: AbortSignal): Promise<T> {
    const loader = this.#newLoader(call, signal);
    const span = this.#reporter.startSpan(call.operation, loader);
    loader.span = span;
    this.#link(loader, call);
    const load = (): Promise<T> => pipeline.run(loader, false);
    try {
      const value = await (span ? span.run(load) : load());
      if (span) this.#reporter.endSpan(span, loader, 'success', undefined);
      return value;
    } catch (error) {
      if (span) this.#reporter.endSpan(span, loader, loader.conclude(error), error);
      this.#discard(loader, pipeline, error);
      throw error;
    }
  }

  #newLoader<T>(call: Call<T>, signal: AbortSignal): Call<T> {
    const { operation, fn, requestId, idempotent, dispose } = call;
    return new Call(
      this.#reporter.name,
      operation,
      fn,
      { signal, requestId, idempotent, dispose },
      () => requestId,
    );
  }

  #link(call: AskingCall, leader: AskingCall): void {
    const { span } = call;
    const other = leader.span;
    if (span && other) this.#reporter.safely(() => span.link(other));
  }

  /** Another value stands in for what this call's own function gave. */
  #discard<T>(call: Call<T>, pipeline: Pipeline, error: unknown): void {
    const { lastError } = call.loader ?? call;
    if (error !== undefined && error === lastError) void pipeline.discards.error(error, call.dispose);
  }

  /** The fallback, where there is one for this error. @throws the error otherwise */
  async #answerFor<T>(call: Call<T>, pipeline: Pipeline, error: unknown): Promise<T> {
    const outcome = call.conclude(error);
    const { fallback } = this.#policies;
    if (fallback && fallsBack(fallback, error, outcome, this.#warnOnce)) {
      const { operation, requestId, attempts } = call;
      let value: unknown;
      try {
        value = await standIn(fallback, error, { outcome, operation, requestId, attempts });
      } catch (failure) {
        this.#reporter.settle(call, outcome, failure);
        throw failure;
      }
      if (!seesError(fallback)) this.#discard(call, pipeline, error);
      call.origin = 'fallback';
      this.#reporter.hidden(error, call);
      call.underlying = error;
      this.#reporter.settle(call, 'success', error);
      return value as T;
    }
    this.#reporter.settle(call, outcome, error);
    const failed = call.failedResult ?? call.loader?.failedResult;
    if (failed !== undefined && error === failed) return failed.value as T;
    throw error;
  }
}

/** What callers of one key may know of one another. */
interface AskingCall {
  readonly signal: AbortSignal | undefined;
  readonly span: CallSpan | undefined;
  readonly loader: { readonly outcome: Outcome | undefined } | undefined;
}

/** A call as the cache knows it. Those who join its load are given this object. */
class CacheRequest implements CacheCaller {
  readonly call: AskingCall;
  signal: AbortSignal | undefined;
  /** The call whose load this one has joined. */
  leader: AskingCall | undefined = undefined;
  readonly #onJoin: (leader: AskingCall) => void;
  readonly #onDrop: (value: unknown) => void;

  constructor(call: AskingCall, onJoin: (leader: AskingCall) => void, onDrop: (value: unknown) => void) {
    this.call = call;
    this.signal = call.signal;
    this.#onJoin = onJoin;
    this.#onDrop = onDrop;
  }

  /** Lets the caller go when the execution around it is interrupted. @returns a function that stops it */
  follow(ambient: AmbientExecution | undefined): () => void {
    if (!ambient) return () => {};
    const controller = new AbortController();
    const stop = ambient.onInterrupt((error) => controller.abort(error));
    this.signal = this.signal ? AbortSignal.any([this.signal, controller.signal]) : controller.signal;
    return stop;
  }

  dropped(value: unknown): void {
    this.#onDrop(value);
  }

  joined(leader: object | undefined): void {
    if (!(leader instanceof CacheRequest)) return;
    this.leader = leader.call;
    this.#onJoin(leader.call);
  }
}
