export type { BreakerResult, BreakerSeats, RunningCall } from './breaker.ts';
export { Breaker } from './breaker.ts';
export type { DecisionWait } from './decision-queue.ts';
export type { BreakerOptions, ResolvedBreaker } from './options.ts';
export { resolveBreaker } from './options.ts';
export type { BreakerPolicy } from './policy.ts';
export { breaker } from './policy.ts';
export type { SavedBreaker } from './saved.ts';
