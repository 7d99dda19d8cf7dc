import type { OptionChecker } from '../../core/options.ts';
import type { Duration } from '../../core/time/duration.ts';

/** How many calls may run at once, and how many may wait for their turn. */
export interface BulkheadOptions {
  /** Calls that run at the same time: 1 or more. @defaultValue 10 */
  readonly concurrent?: number;
  /** Calls that wait, first come first served: 0 or more. @defaultValue 0 */
  readonly queue?: number;
  /** How long a call waits in the queue. @defaultValue as long as the call's own limits allow */
  readonly queueTimeout?: Duration;
}

/** The numbers that apply where an option is left out. */
export const bulkheadDefaults = { concurrent: 10, queue: 0 } as const;

/** {@link BulkheadOptions} with every default filled in. */
export interface ResolvedBulkhead {
  readonly concurrent: number;
  readonly queue: number;
  readonly queueTimeoutMs: number | undefined;
}

/** Checks the options and fills in the defaults. */
export function resolveBulkhead(options: BulkheadOptions, check: OptionChecker): ResolvedBulkhead {
  check.keys(options, ['concurrent', 'queue', 'queueTimeout']);
  const { concurrent, queue, queueTimeout } = options;
  return {
    concurrent: check.number(
      'concurrent',
      concurrent,
      { min: 1, integer: true },
      bulkheadDefaults.concurrent,
    ),
    queue: check.number('queue', queue, { min: 0, integer: true }, bulkheadDefaults.queue),
    queueTimeoutMs: check.duration('queueTimeout', queueTimeout, 1, undefined),
  };
}
