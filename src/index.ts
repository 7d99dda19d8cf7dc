export type { Clock, Timer } from './core/time/clock.ts';
export type { Duration } from './core/time/duration.ts';
export type { ErrorSource, KeelsonErrorOptions } from './core/errors.ts';
export {
  ConfigError,
  FailedResultError,
  isRejection,
  KeelsonError,
  RejectedError,
  requestIdOf,
  TimeoutError,
} from './core/errors.ts';
export type { BreakerState, BreakerTransition, CoreEvent, GuardEvent } from './core/events.ts';
export type {
  CallAccount,
  CallOutcome,
  Origin,
  Outcome,
  PolicyName,
  RejectionReason,
  SuccessfulCall,
  Suppression,
  SuppressionReason,
  UnsuccessfulCall,
} from './core/outcome.ts';
export type { Random } from './core/random.ts';
export type {
  CallContext,
  CallOptions,
  CockatielPolicy,
  Guard,
  GuardedDecorator,
  GuardedFunction,
  GuardedOptions,
  GuardOptions,
  GuardSnapshot,
  Keelson,
  KeelsonOptions,
  KeyOptions,
  ObserveOptions,
  PolicyOptions,
  PolicySnapshots,
  PresetName,
  SpanOptions,
} from './guard/index.ts';
export {
  callContext,
  createKeelson,
  defaultKeelson,
  detached,
  guard,
  guarded,
  isHttpFailure,
  observe,
  preset,
  presets,
  registry,
} from './guard/index.ts';
export type {
  BreakerHandle,
  BreakerOptions,
  BreakerPolicy,
  BreakerSnapshot,
  SavedBreaker,
} from './policies/breaker/index.ts';
export { breaker } from './policies/breaker/index.ts';
export type { BulkheadOptions, BulkheadPolicy, BulkheadSnapshot } from './policies/bulkhead/index.ts';
export { bulkhead } from './policies/bulkhead/index.ts';
export type {
  CacheGetOptions,
  CacheHandle,
  CacheOptions,
  CachePolicy,
  CachePolicyOptions,
  CacheSetOptions,
  CacheSnapshot,
  CacheStats,
  CacheTier,
  PolicyCacheHandle,
  RedisTier,
  RedisTierClient,
  RedisTierOptions,
  RedisTierTransaction,
  TierEntry,
} from './policies/cache/index.ts';
export { cache, redisTier } from './policies/cache/index.ts';
export type {
  FallbackContext,
  FallbackOptions,
  FallbackPolicy,
  FallbackPolicyOptions,
} from './policies/fallback/index.ts';
export { fallback, FallbackError } from './policies/fallback/index.ts';
export type {
  AcquireOptions,
  LimiterHandle,
  LimiterStore,
  PostgresLimiterPool,
  PostgresStoreOptions,
  Rate,
  RateLimitAlgorithm,
  RateLimitOptions,
  RateLimitPolicy,
  RateLimitPorts,
  RateLimitSnapshot,
  RateWindow,
  RedisLimiterClient,
  RedisStoreOptions,
  SqliteStoreOptions,
  StoreFailure,
  Taken,
} from './policies/rate-limit/index.ts';
export { postgresStore, rateLimit, redisStore, sqliteStore } from './policies/rate-limit/index.ts';
export type {
  BackoffStrategy,
  RetryBudgetOptions,
  RetryOptions,
  RetryPolicy,
  RetryScheduled,
} from './policies/retry/index.ts';
export { notSent, retry, retryAfterMsOf } from './policies/retry/index.ts';
export type { PolicyPorts } from './policies/standalone.ts';
export type { TimeoutOptions, TimeoutPolicy } from './policies/timeout/index.ts';
export { timeout } from './policies/timeout/index.ts';
export type { Providers } from './signals/index.ts';
