import { formatDuration } from '../../core/time/duration.ts';
import type { PolicyFacts } from '../facts.ts';
import type { ResolvedTimeout, TimeoutOptions } from './options.ts';
import { resolveTimeout } from './options.ts';

/** What a guard knows of a timeout. It acts in two places: around the whole call, and around each attempt. */
export const timeoutFacts: PolicyFacts<TimeoutOptions, ResolvedTimeout> = {
  key: 'timeout',
  resolve: resolveTimeout,
  describe: ({ attemptMs, totalMs }, place) => {
    const ms = place === 'total' ? totalMs : attemptMs;
    return ms === undefined ? undefined : `${place} timeout: ${formatDuration(ms)}`;
  },
  lint: ({ attemptMs, totalMs }) =>
    attemptMs !== undefined && totalMs !== undefined && attemptMs >= totalMs
      ? [
          `timeout.attempt (${formatDuration(attemptMs)}) is never reached within timeout.total (${formatDuration(totalMs)}). Make it shorter, or leave it out.`,
        ]
      : [],
  rejectionKeys: ({ totalMs }) => (totalMs === undefined ? [] : ['timeout/deadline']),
};
