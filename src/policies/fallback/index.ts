export { FallbackError, fallsBack, seesError, standIn } from './fallback.ts';
export type { FallbackContext, FallbackOptions, ResolvedFallback } from './options.ts';
export type { FallbackPolicy, FallbackPolicyOptions } from './policy.ts';
export { fallback } from './policy.ts';
export { fallbackFacts } from './facts.ts';
