import type { ErrorSource } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { StoreWatch } from '../../core/store-watch.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { ResolvedRateLimit } from './options.ts';
import type { Limiter } from './rate-limiter.ts';
import { RateLimiter } from './rate-limiter.ts';
import { SharedRateLimiter } from './shared-rate-limiter.ts';

/** Who the limiter is for. */
export interface LimiterSeats {
  readonly source?: ErrorSource;
  /** The key in the store. @defaultValue the name of the guard */
  readonly key?: string | undefined;
  /** @defaultValue the random source of the machine */
  readonly random?: Random;
  /** Told how the store does. @defaultValue nobody */
  readonly watch?: StoreWatch;
}

/** @returns a limiter of this process or, where the options have a store, one that is shared through it */
export function limiterFor(
  options: ResolvedRateLimit,
  clock: Clock,
  { source = {}, key, random, watch }: LimiterSeats = {},
): Limiter {
  if (!options.store) return new RateLimiter(options, clock, source);
  const sharedKey = key ?? source.guard ?? 'default';
  return new SharedRateLimiter(options, options.store, sharedKey, clock, source, random, watch);
}
