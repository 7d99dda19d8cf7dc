export type { BreakerResult } from './breaker.ts';
export { Breaker } from './breaker.ts';
export type { BreakerOptions, ResolvedBreaker } from './options.ts';
export { breakerDefaults, resolveBreaker } from './options.ts';
export type { BreakerPolicy } from './policy.ts';
export { breaker } from './policy.ts';
