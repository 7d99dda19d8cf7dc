export { Cache } from './cache.ts';
export type { CacheHit } from './entry.ts';
export type { CacheOptions, ResolvedCache } from './options.ts';
export type { CachePolicy, CachePolicyOptions } from './policy.ts';
export { cache } from './policy.ts';
export type { RedisTier, RedisTierClient, RedisTierOptions, RedisTierTransaction } from './redis-tier.ts';
export { redisTier } from './redis-tier.ts';
export type {
  CacheCaller,
  CacheLoad,
  CacheNegative,
  CacheRequestResult,
  CacheResult,
  CacheValue,
} from './result.ts';
export type { CacheTier, TierEntry, TierListener } from './tier.ts';
export type { CacheSnapshot } from './facts.ts';
export { cacheFacts } from './facts.ts';
export type {
  CacheGetOptions,
  CacheHandle,
  CacheSetOptions,
  CacheStats,
  PolicyCacheHandle,
} from './handle.ts';
export { cacheHandle } from './handle.ts';
