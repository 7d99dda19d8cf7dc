import type { OptionChecker } from '../../core/options.ts';
import type { Outcome } from '../../core/outcome.ts';

/** What a fallback function gets to know about the call that it stands in for. */
export interface FallbackContext {
  /** How the call ended; never `cancelled`, since nobody waits for the value of such a call. */
  readonly outcome: Exclude<Outcome, 'success' | 'cancelled'>;
  /** How often the guarded function was called: 0 for a rejected call. */
  readonly attempts: number;
  /** The id under which span, log and error know the call. */
  readonly requestId: string;
  readonly operation: string;
}

/** What callers get in place of an error: a value, or what a function makes of the error. */
export type FallbackOptions<F = unknown> = {
  /**
   * Which errors are worth it. One that throws means no: callers then get the error. A call that its caller cancelled never falls back.
   * @defaultValue all of them
   */
  readonly when?: (error: unknown) => boolean;
} & (
  | {
      /** The value itself; `undefined` is one. Every caller gets the same object. */
      readonly value: F;
      readonly with?: undefined;
    }
  | {
      /** Makes the value; may be asynchronous. It runs outside of every limit of time, so it should be quick and local. */
      readonly with: (error: unknown, context: FallbackContext) => PromiseLike<F> | F;
      readonly value?: undefined;
    }
);

/** {@link FallbackOptions} after the checks. */
export interface ResolvedFallback {
  /** The value, if no function makes it. */
  readonly value: unknown;
  readonly make: ((error: unknown, context: never) => unknown) | undefined;
  readonly when: ((error: unknown) => boolean) | undefined;
}

/** Checks the options. */
export function resolveFallback(options: FallbackOptions, check: OptionChecker): ResolvedFallback {
  check.keys(options, ['value', 'with', 'when']);
  const { value, with: make, when } = options;
  check.filter('when', when, 'Give a function that takes the error and says whether to fall back.');
  check.function('with', make, 'Give a function that takes the error and makes the value, or use `value`.');
  if (make === undefined && !('value' in options))
    check.problem('value', 'or `with` to be given', value, 'Say what callers get: `value: []`.');
  if (make !== undefined && value !== undefined)
    check.problem('value', 'to be left out beside `with`', value, 'The function alone makes the value.');
  return { value, make, when };
}
