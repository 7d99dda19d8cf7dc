import { formatDuration } from '../../core/time/duration.ts';
import type { PolicyFacts } from '../facts.ts';
import { lintWait } from '../facts.ts';
import { limiterFor } from './limiter-for.ts';
import type { RateLimitOptions, ResolvedRateLimit } from './options.ts';
import { rateLimitDefaults, resolveRateLimit } from './options.ts';
import type { Limiter } from './rate-limiter.ts';

/** The numbers of a rate limit at one moment. */
export interface RateLimitSnapshot {
  /** Calls that may start now. */
  readonly available: number;
  readonly limit: number;
  /** Calls that wait. */
  readonly queued: number;
  /** Milliseconds that are left of the pause that a server asked for with `Retry-After`; 0 without one. `guard.limiter.reset()` ends it. */
  readonly pausedMs: number;
  /** Failures of the shared store, if there is one. */
  readonly storeFailures: number;
  /** Calls that went on without a limit because the shared store was away. */
  readonly unlimited: number;
}

/** What a guard knows of a rate limit. */
export const rateLimitFacts: PolicyFacts<RateLimitOptions, ResolvedRateLimit, Limiter, RateLimitSnapshot> = {
  key: 'rateLimit',
  resolve: resolveRateLimit,
  describe: ({ algorithm, limit, perMs, burst, maxWaitMs, store }) => {
    const wait = maxWaitMs > 0 ? `waits up to ${formatDuration(maxWaitMs)}` : 'refuses at once';
    const period = formatDuration(perMs);
    const quota =
      algorithm === 'window' ? `${limit} in any ${period}` : `${limit} in ${period}, ${burst} at once`;
    return `rate limit: ${quota}, ${wait}${store ? ', shared' : ''}`;
  },
  lint: (rateLimit, limits) => [
    ...lintWait('rateLimit.maxWait', rateLimit.maxWaitMs, limits),
    ...lintStore(rateLimit),
  ],
  rejectionKeys: () => ['rate_limit/rate_limited'],
  waitKeys: ({ maxWaitMs, store }) => (maxWaitMs > 0 || store ? ['rate_limit'] : []),
  make: (resolved, { clock, random, source, key, limiterStore }) => {
    const storeKey = key === undefined ? source.guard : `${source.guard}/${key}`;
    return limiterFor(resolved, clock, { source, key: storeKey, random, watch: limiterStore });
  },
  // The tokens of a shared limit are in its store.
  isBusy: ({ available, queued, counters }) => queued > 0 || (counters === undefined && available < 1),
  snapshot: ({ available, limit, queued, pausedMs, counters }) => {
    const { failures: storeFailures = 0, unlimited = 0 } = counters ?? {};
    return { available, limit, queued, pausedMs, storeFailures, unlimited };
  },
};

/** Options of a shared limit that has no store. */
function lintStore({ store, onStoreFailure, processes }: ResolvedRateLimit): string[] {
  if (store) return [];
  const given = [
    onStoreFailure !== rateLimitDefaults.onStoreFailure && 'rateLimit.onStoreFailure',
    processes !== rateLimitDefaults.processes && 'rateLimit.processes',
  ].filter((name) => typeof name === 'string');
  return given.map(
    (name) =>
      `${name} does nothing without rateLimit.store: this process keeps the whole limit by itself. Give a store, or leave it out.`,
  );
}
