import type { IDefaultPolicyContext, IPolicy } from 'cockatiel';
import { RejectedError } from '../../core/errors.ts';
import { OptionChecker } from '../../core/options.ts';
import { systemRandom } from '../../core/random.ts';
import { systemClock } from '../../core/time/clock.ts';
import { PolicyEvents } from '../policy-events.ts';
import type { PolicyPorts } from '../standalone.ts';
import type { LimiterHandle } from './handle.ts';
import { acquire, limiterHandle } from './handle.ts';
import { limiterFor } from './limiter-for.ts';
import type { RateLimitOptions } from './options.ts';
import { resolveRateLimit } from './options.ts';

/** A rate limit as a policy of its own. */
export interface RateLimitPolicy extends IPolicy {
  /** The limit by hand: to see how many tokens there are, and to take some. */
  readonly limiter: LimiterHandle;
}

/** Where a rate limit takes time and chance from, and under which name it is shared. */
export interface RateLimitPorts extends PolicyPorts {
  /** The key in the store: the processes that use the same one share the limit. @defaultValue 'default' */
  readonly key?: string;
}

/**
 * A rate limit that mixes in cockatiel's `wrap`. A call that waits keeps the async context of its own caller, and leaves the line when it is aborted.
 * @returns a policy that throws {@link RejectedError} (`ERR_KEELSON_RATE_LIMITED`, `ERR_KEELSON_RATE_LIMIT_STORE`)
 * @throws {ConfigError} for options that cannot be used
 */
export function rateLimit(
  options: RateLimitOptions,
  { clock = systemClock, random = systemRandom, key }: RateLimitPorts = {},
): RateLimitPolicy {
  const check = new OptionChecker('rateLimit');
  const resolved = resolveRateLimit(options, check);
  check.done();
  const limiter = limiterFor(resolved, clock, { key, random });
  const events = new PolicyEvents(clock);

  async function run<T>(
    fn: (context: IDefaultPolicyContext) => PromiseLike<T> | T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    await acquire(limiter, clock.now(), signal);
    return fn({ signal: signal ?? new AbortController().signal });
  }

  return {
    _altReturn: undefined as never,
    limiter: limiterHandle(
      () => limiter,
      () => clock.now(),
    ),
    onSuccess: events.onSuccess,
    onFailure: events.onFailure,
    execute: (fn, signal) =>
      events.watch(
        () => run(fn, signal),
        (error) => error instanceof RejectedError,
      ),
  };
}
