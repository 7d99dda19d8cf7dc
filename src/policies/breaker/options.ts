import type { IBreaker } from 'cockatiel';
import type { Duration } from '../../core/duration.ts';
import type { OptionChecker } from '../../core/options.ts';

/** When to stop calling a dependency that fails, and when to try it again. */
export interface BreakerOptions {
  /** Consecutive failures that open the circuit: 1 or more. @defaultValue 5 */
  readonly failures?: number;
  /** Trials that must succeed, none failing, before the circuit closes again: 1 or more. At most so many run at once. @defaultValue 3 */
  readonly successes?: number;
  /** How long the circuit stays open before a trial is let through. @defaultValue '2m' */
  readonly openFor?: Duration;
  /**
   * Makes another rule for opening, in place of `failures`: any breaker strategy of cockatiel's, such as `() => new CountBreaker({...})`.
   * Called once for each time the circuit closes, so that every period starts with an empty window.
   */
  readonly strategy?: () => IBreaker;
  /** Which errors count against the dependency. @defaultValue all of them; rejections of guards and aborts of callers never count */
  readonly failureIf?: (error: unknown) => boolean;
}

/** The numbers that apply where an option is left out. */
export const breakerDefaults = { failures: 5, successes: 3, openFor: '2m', openForMs: 120_000 } as const;

/** {@link BreakerOptions} with every default filled in. */
export interface ResolvedBreaker {
  readonly failures: number;
  readonly successes: number;
  readonly openForMs: number;
  readonly strategy: (() => IBreaker) | undefined;
  readonly failureIf: ((error: unknown) => boolean) | undefined;
}

/** Checks the options and fills in the defaults. */
export function resolveBreaker(options: BreakerOptions, check: OptionChecker): ResolvedBreaker {
  check.keys(options, ['failures', 'successes', 'openFor', 'strategy', 'failureIf']);
  const { failures, successes, openFor, strategy, failureIf } = options;
  check.function(
    'strategy',
    strategy,
    'Give a function that makes the strategy: `() => new CountBreaker({...})`.',
  );
  check.function('failureIf', failureIf, 'Give a function that takes the error and says whether it counts.');
  if (strategy !== undefined && failures !== undefined) {
    check.problem(
      'failures',
      'to be left out beside `strategy`',
      failures,
      'The strategy alone decides when the circuit opens.',
    );
  }
  return {
    failures: check.number('failures', failures, { min: 1, integer: true }, breakerDefaults.failures),
    successes: check.number('successes', successes, { min: 1, integer: true }, breakerDefaults.successes),
    openForMs: check.duration('openFor', openFor, 1, breakerDefaults.openForMs),
    strategy,
    failureIf,
  };
}
