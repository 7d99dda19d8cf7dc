import { formatDuration } from '../../core/time/duration.ts';
import type { PolicyFacts } from '../facts.ts';
import { counted, filterText } from '../facts.ts';
import type { Cache } from './cache.ts';
import type { CacheOptions, ResolvedCache } from './options.ts';
import { resolveCache } from './options.ts';

/** The numbers of a cache at one moment. */
export interface CacheSnapshot {
  readonly entries: number;
  /** Answered requests by result. */
  readonly requests: Readonly<Record<string, number>>;
  /** Operations of the second tier that failed. */
  readonly tierFailures: number;
}

/** What a guard knows of a cache. */
export const cacheFacts: PolicyFacts<CacheOptions, ResolvedCache, Cache, CacheSnapshot> = {
  key: 'cache',
  resolve: resolveCache,
  describe: ({ ttlMs, maxEntries, negativeIf }) =>
    `cache: fresh for ${formatDuration(ttlMs)}, at most ${counted(maxEntries, 'key')}${filterText('negativeIf', negativeIf)}`,
  origins: ['cache', 'stale'],
  snapshot: ({ entries, counts, tierFailures }) => ({ entries, requests: { ...counts }, tierFailures }),
};
