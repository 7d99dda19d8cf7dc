import type { OptionChecker } from '../../core/options.ts';
import type { Duration } from '../../core/time/duration.ts';

/** How long a call may take. Both limits are off unless they are set. */
export interface TimeoutOptions {
  /** For each execution of the function. The slot of the bulkhead is free at once when it is over. */
  readonly attempt?: Duration;
  /** For the whole call: all attempts, and every wait between and before them. */
  readonly total?: Duration;
}

/** {@link TimeoutOptions} in milliseconds. */
export interface ResolvedTimeout {
  readonly attemptMs: number | undefined;
  readonly totalMs: number | undefined;
}

/** Checks the options and fills in the defaults. */
export function resolveTimeout(options: TimeoutOptions, check: OptionChecker): ResolvedTimeout {
  check.keys(options, ['attempt', 'total']);
  return {
    attemptMs: check.duration('attempt', options.attempt, 1, undefined),
    totalMs: check.duration('total', options.total, 1, undefined),
  };
}
