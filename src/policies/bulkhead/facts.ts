import type { PolicyFacts } from '../facts.ts';
import { lintWait } from '../facts.ts';
import { Bulkhead } from './bulkhead.ts';
import type { BulkheadOptions, ResolvedBulkhead } from './options.ts';
import { resolveBulkhead } from './options.ts';

/** The numbers of a bulkhead at one moment. */
export interface BulkheadSnapshot {
  /** Calls that run. */
  readonly active: number;
  readonly limit: number;
  /** Calls that wait. */
  readonly queued: number;
  readonly queueLimit: number;
}

/** What a guard knows of a bulkhead. */
export const bulkheadFacts: PolicyFacts<BulkheadOptions, ResolvedBulkhead, Bulkhead, BulkheadSnapshot> = {
  key: 'bulkhead',
  resolve: resolveBulkhead,
  describe: ({ concurrent, queue }) => `bulkhead: ${concurrent} at a time, ${queue} in the queue`,
  lint: ({ queueTimeoutMs }, limits) => lintWait('bulkhead.queueTimeout', queueTimeoutMs, limits),
  rejectionKeys: ({ queue, queueTimeoutMs }) => [
    'bulkhead/full',
    ...(queueTimeoutMs === undefined ? [] : (['bulkhead/queue_timeout'] as const)),
    ...(queue > 0 ? (['bulkhead/reentrant'] as const) : []),
  ],
  waitKeys: ({ queue }) => (queue > 0 ? ['bulkhead'] : []),
  make: (resolved, { clock, source }, before) => {
    before?.update(resolved);
    return before ?? new Bulkhead(resolved, clock, source);
  },
  isBusy: ({ active, queued }) => active > 0 || queued > 0,
  snapshot: ({ active, limit, queued, queueLimit }) => ({ active, limit, queued, queueLimit }),
};
