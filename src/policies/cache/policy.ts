import type { IDefaultPolicyContext, IPolicy } from 'cockatiel';
import { OptionChecker } from '../../core/options.ts';
import { systemRandom } from '../../core/random.ts';
import { systemClock } from '../../core/time/clock.ts';
import { PolicyEvents } from '../policy-events.ts';
import type { PolicyPorts } from '../standalone.ts';
import { warnerOf } from '../standalone.ts';
import { Cache } from './cache.ts';
import type { PolicyCacheHandle } from './handle.ts';
import { policyCacheHandle } from './handle.ts';
import type { CacheOptions } from './options.ts';
import { resolveCache } from './options.ts';

/** Options of a cache that stands alone. */
export interface CachePolicyOptions extends CacheOptions {
  /**
   * The key of the call that is about to run, since `execute` has no place for one: a constant for a policy that wraps one question, or what an
   * `AsyncLocalStorage` of yours knows. A call whose key is `undefined` goes past the cache.
   */
  readonly key: () => string | undefined;
}

/** A cache as a policy of its own. */
export interface CachePolicy extends IPolicy {
  /** What it holds: to read, store and forget values by hand. */
  readonly cache: PolicyCacheHandle;
}

/**
 * A cache that mixes in cockatiel's `wrap`. Executions of one key share one run of the function, whose signal aborts when nobody waits for it
 * any more.
 * @throws {ConfigError} for options that cannot be used
 */
export function cache(
  options: CachePolicyOptions,
  { clock = systemClock, random = systemRandom }: PolicyPorts = {},
): CachePolicy {
  const check = new OptionChecker('cache');
  const { key, ...rest } = options;
  if (key === undefined)
    check.problem(
      'key',
      'to be a function',
      key,
      "Give one that tells the key of the call that is about to run: `() => 'settings'`.",
    );
  check.filter('key', key, "Give one that tells the key at once: `() => 'settings'`.");
  const resolved = resolveCache(rest, check);
  check.done();
  const store = new Cache(resolved, clock, random, {
    failed: () => {},
    answered: () => {},
    warn: warnerOf('cache'),
  });
  const events = new PolicyEvents(clock);

  async function run<T>(
    fn: (context: IDefaultPolicyContext) => PromiseLike<T> | T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    signal?.throwIfAborted();
    const name = key();
    if (name === undefined) return fn({ signal: signal ?? new AbortController().signal });
    const answer = await store.through<T>(name, (shared) => fn({ signal: shared }), { signal });
    if (answer.result === 'negative') throw answer.error;
    return answer.value;
  }

  return {
    _altReturn: undefined as never,
    onSuccess: events.onSuccess,
    onFailure: events.onFailure,
    cache: policyCacheHandle(store),
    execute: (fn, signal) =>
      events.watch(
        () => run(fn, signal),
        () => false,
      ),
  };
}
