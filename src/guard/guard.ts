import type { GuardEvent } from '../core/events.ts';
import type { CallOutcome } from '../core/outcome.ts';
import type { BreakerHandle } from '../policies/breaker/index.ts';
import type { CacheHandle } from '../policies/cache/index.ts';
import type { LimiterHandle } from '../policies/rate-limit/index.ts';
import type { CallOptions, GuardedFunction } from './call/call.ts';
import type { GuardOptions } from './options/options.ts';
import type { GuardSnapshot } from './snapshot.ts';

/** Guards the calls to one dependency. Made by `guard(name, options)`. */
export interface Guard {
  readonly name: string;
  /** The key, for a guard that {@link Guard.for} gave. */
  readonly key: string | undefined;
  /** Whether the policies are on; see {@link Guard.disable}. */
  readonly enabled: boolean;
  /** The circuit breaker: its state, and what can be done by hand. `undefined` for a guard without one. */
  readonly breaker: BreakerHandle | undefined;
  /** The rate limit: to see how many tokens there are, and to take some for work outside of the guard. `undefined` for a guard without one. */
  readonly limiter: LimiterHandle | undefined;
  /** The cache: to read, store and forget values by hand. `undefined` for a guard without one. */
  readonly cache: CacheHandle | undefined;

  /**
   * Calls `fn` under the guard's policies.
   * @param operation what is done, as a name of few values: it names the span and labels the metrics (50 of them, then `_OTHER`)
   * @param fn the work; it should pass `signal` on
   * @returns what `fn` gives, the cache has, or the fallback makes
   * @throws what the last execution of `fn` threw; `TimeoutError` if it took too long; `RejectedError` if it never ran; the reason of the
   *   caller's signal if that aborted; `ConfigError` for arguments of the wrong type
   */
  run<T>(operation: string, fn: GuardedFunction<T>, options?: CallOptions): Promise<T>;

  /**
   * Calls `fn` as {@link Guard.run} does. Its promise resolves with the full account of the call, also if the call fails.
   * @throws {ConfigError} for arguments of the wrong type; nothing else
   */
  outcome<T>(operation: string, fn: GuardedFunction<T>, options?: CallOptions): Promise<CallOutcome<T>>;

  /**
   * The guard for one key, such as a host or a tenant: with a breaker, bulkhead, rate limit and retry budget of its own. Its calls count as
   * those of this guard, under the same labels; the cache is shared.
   *
   * Keys are kept in the order of their last use. If there are more than `keys.max`, the least recently used one loses its breaker, slots and
   * tokens.
   * @param key 1 to 200 characters
   * @throws {ConfigError} for any other key
   */
  for(key: string): Guard;

  /**
   * Changes the policies while calls are running. Counters stay, and so do the state of the breaker and what the cache holds. A policy whose
   * options are the same keeps its state and takes the newer functions. A policy with other options starts anew. Calls that are running end
   * under the old options. Keyed guards are forgotten and start anew.
   * @throws {ConfigError} for options that cannot be used: nothing has changed then
   */
  update(options: GuardOptions): void;

  /** Switches every policy off: calls are only made, counted and traced. For the moment in which the guard itself is in the way. */
  disable(): void;

  /** Switches the policies on again. */
  enable(): void;

  /**
   * Removes the guard: its metrics end at the next collection, and its name is free. Calls that are running end as they would have, and whoever
   * still holds the guard can go on calling: its policies apply, its spans and events are reported, and its metrics are not. A guard that
   * {@link Guard.for} gave forgets the state of its key instead. Does nothing the second time.
   */
  dispose(): void;

  /** {@link Guard.dispose}, for `using`. */
  [Symbol.dispose](): void;

  /** Says in words what the guard does with a call, outermost first. */
  describe(): string;

  /**
   * Calls `listener` for everything that happens in the guard. What it throws is counted and changes nothing.
   * @returns a function that removes the listener
   */
  on(listener: (event: GuardEvent) => void): () => void;

  /** A copy of the guard's numbers and states. */
  snapshot(): GuardSnapshot;
}
