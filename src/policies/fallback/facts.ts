import type { PolicyFacts } from '../facts.ts';
import { filterText } from '../facts.ts';
import type { FallbackOptions, ResolvedFallback } from './options.ts';
import { resolveFallback } from './options.ts';

/** What a guard knows of a fallback. */
export const fallbackFacts: PolicyFacts<FallbackOptions, ResolvedFallback> = {
  key: 'fallback',
  resolve: resolveFallback,
  describe: ({ when }) => `fallback: answers if everything within has failed${filterText('when', when)}`,
  origins: ['fallback'],
};
