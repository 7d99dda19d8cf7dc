export type { QueuedCall } from './bulkhead.ts';
export { Bulkhead } from './bulkhead.ts';
export type { BulkheadOptions, ResolvedBulkhead } from './options.ts';
export type { BulkheadPolicy } from './policy.ts';
export { bulkhead } from './policy.ts';
export type { BulkheadSnapshot } from './facts.ts';
export { bulkheadFacts } from './facts.ts';
