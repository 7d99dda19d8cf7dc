import type {
  Breaker,
  BreakerOptions,
  BreakerSnapshot,
  ResolvedBreaker,
} from '../../policies/breaker/index.ts';
import { breakerFacts } from '../../policies/breaker/index.ts';
import type {
  Bulkhead,
  BulkheadOptions,
  BulkheadSnapshot,
  ResolvedBulkhead,
} from '../../policies/bulkhead/index.ts';
import { bulkheadFacts } from '../../policies/bulkhead/index.ts';
import type { Cache, CacheOptions, CacheSnapshot, ResolvedCache } from '../../policies/cache/index.ts';
import { cacheFacts } from '../../policies/cache/index.ts';
import type { PolicyFacts } from '../../policies/facts.ts';
import type { FallbackOptions, ResolvedFallback } from '../../policies/fallback/index.ts';
import { fallbackFacts } from '../../policies/fallback/index.ts';
import type {
  Limiter,
  RateLimitOptions,
  RateLimitSnapshot,
  ResolvedRateLimit,
} from '../../policies/rate-limit/index.ts';
import { rateLimitFacts } from '../../policies/rate-limit/index.ts';
import type { ResolvedRetry, Retry, RetryOptions } from '../../policies/retry/index.ts';
import { retryFacts } from '../../policies/retry/index.ts';
import type { ResolvedTimeout, TimeoutOptions } from '../../policies/timeout/index.ts';
import { timeoutFacts } from '../../policies/timeout/index.ts';

/** The policies among the options of a guard. A policy that is left out or `false` is off; `{}` means its defaults. */
/** @typeParam F what the fallback gives */
export interface PolicyOptions<F = unknown> {
  readonly fallback?: FallbackOptions<F> | false;
  readonly cache?: CacheOptions | false;
  readonly timeout?: TimeoutOptions | false;
  readonly retry?: RetryOptions | false;
  readonly breaker?: BreakerOptions | false;
  readonly rateLimit?: RateLimitOptions | false;
  readonly bulkhead?: BulkheadOptions | false;
}

/** {@link PolicyOptions} with every default filled in; `undefined` for a policy that is off. */
export interface ResolvedPolicies {
  readonly fallback: ResolvedFallback | undefined;
  readonly cache: ResolvedCache | undefined;
  readonly timeout: ResolvedTimeout | undefined;
  readonly retry: ResolvedRetry | undefined;
  readonly breaker: ResolvedBreaker | undefined;
  readonly rateLimit: ResolvedRateLimit | undefined;
  readonly bulkhead: ResolvedBulkhead | undefined;
}

/** What keeps the state of each policy that the pipeline passes; `undefined` for one that is off. */
export interface PipelineMechanisms {
  readonly retry: Retry | undefined;
  readonly breaker: Breaker | undefined;
  readonly rateLimit: Limiter | undefined;
  readonly bulkhead: Bulkhead | undefined;
}

/** The same, with the cache that stands around the pipeline. */
export interface PolicyMechanisms extends PipelineMechanisms {
  readonly cache: Cache | undefined;
}

/** The policies' parts of a guard's snapshot. Only those that are on have one. */
export interface PolicySnapshots {
  readonly cache?: CacheSnapshot;
  readonly breaker?: BreakerSnapshot;
  readonly rateLimit?: RateLimitSnapshot;
  readonly bulkhead?: BulkheadSnapshot;
}

/** A policy at one of the places in which it acts. */
export interface Layer {
  readonly facts: PolicyFacts<object, object, object, object>;
  /** Which of its places, for a policy that acts in two. */
  readonly place?: string;
}

/** The places that a call passes, outermost first. A new policy has its line here and in the four interfaces above. */
export const LAYERS: readonly Layer[] = [
  { facts: fallbackFacts },
  { facts: cacheFacts },
  { facts: timeoutFacts, place: 'total' },
  { facts: retryFacts },
  { facts: breakerFacts, place: 'check' },
  { facts: rateLimitFacts },
  { facts: bulkheadFacts },
  { facts: breakerFacts, place: 'permit' },
  { facts: timeoutFacts, place: 'attempt' },
];

/** Each policy once, outermost first. */
export const POLICIES: readonly Layer['facts'][] = [...new Set(LAYERS.map(({ facts }) => facts))];

/** The policy of this name, in options, mechanisms or snapshots that have one property for each policy. */
export function under(holder: object, { key }: Layer['facts']): object | undefined {
  const value: unknown = Reflect.get(holder, key);
  return typeof value === 'object' && value !== null ? value : undefined;
}

/** The policies that are on, each with its options. */
export function policiesIn(
  options: ResolvedPolicies,
): readonly { readonly facts: Layer['facts']; readonly resolved: object }[] {
  return POLICIES.flatMap((facts) => {
    const resolved = under(options, facts);
    return resolved ? [{ facts, resolved }] : [];
  });
}
