export type { Clock, Timer } from './core/clock.ts';
export type { Duration } from './core/duration.ts';
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
  PresetName,
  SpanOptions,
} from './guard/index.ts';
export {
  callContext,
  createKeelson,
  defaultKeelson,
  guard,
  guarded,
  isHttpFailure,
  observe,
  presets,
  registry,
} from './guard/index.ts';
export type { Breaker, BreakerOptions, BreakerPolicy, SavedBreaker } from './policies/breaker/index.ts';
export { breaker } from './policies/breaker/index.ts';
export type { BulkheadOptions, BulkheadPolicy } from './policies/bulkhead/index.ts';
export { bulkhead } from './policies/bulkhead/index.ts';
export type {
  CacheOptions,
  CachePolicy,
  CachePolicyOptions,
  CacheTier,
  RedisTierOptions,
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
  LimiterStore,
  PostgresStoreOptions,
  RateLimitOptions,
  RateLimitPolicy,
  RateLimitSeats,
  RedisStoreOptions,
  SqliteStoreOptions,
  StoreFailure,
} from './policies/rate-limit/index.ts';
export { postgresStore, rateLimit, redisStore, sqliteStore } from './policies/rate-limit/index.ts';
export type {
  BackoffStrategy,
  RetryBudgetOptions,
  RetryOptions,
  RetryPolicy,
  RetryScheduled,
} from './policies/retry/index.ts';
export { notSent, retry } from './policies/retry/index.ts';
export type { TimeoutOptions, TimeoutPolicy } from './policies/timeout/index.ts';
export { timeout } from './policies/timeout/index.ts';
