import { KeelsonError } from '../../core/errors.ts';
import type { WarnAbout } from '../../core/filter.ts';
import { answerOf } from '../../core/filter.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { FallbackContext, ResolvedFallback } from './options.ts';

/**
 * The call failed, and so did the function that was to stand in for it. `cause` is the error of the call, the one to look at first.
 */
export class FallbackError extends KeelsonError {
  override readonly name: string = 'FallbackError';
  /** What the fallback function threw. */
  readonly fallbackError: unknown;

  constructor(cause: unknown, fallbackError: unknown) {
    super('ERR_KEELSON_FALLBACK', 'The call failed, and its fallback function threw.', {
      cause,
      hint: 'See `cause` for the call and `fallbackError` for the fallback. A fallback should need nothing that can fail.',
    });
    this.fallbackError = fallbackError;
  }
}

/** Whether a call that ended so gets a fallback. @param warn takes the warning of a filter that gives a promise */
export function fallsBack(
  fallback: ResolvedFallback,
  error: unknown,
  outcome: Outcome,
  warn?: WarnAbout,
): outcome is FallbackContext['outcome'] {
  return outcome !== 'success' && outcome !== 'cancelled' && isWorthIt(fallback, error, warn);
}

const WHEN = {
  name: 'fallback.when',
  otherwise: false,
  consequence: 'Until then callers get the error.',
} as const;

/** Whether `when` takes the error; a filter that throws means no. */
export function isWorthIt({ when }: ResolvedFallback, error: unknown, warn?: WarnAbout): boolean {
  return !when || answerOf(when, error, WHEN, warn);
}

/** Whether the function that makes the value takes the error: then a value in it, such as a response, is for that function to read or to free. */
export function seesError({ make }: ResolvedFallback): boolean {
  return make !== undefined && make.length > 0;
}

/**
 * The value that stands in for a failed call.
 * @param context `undefined` for a fallback that stands alone: its function takes the error only
 * @throws `error` itself where the fallback function throws it on; {@link FallbackError} where it throws anything else
 */
export async function standIn(
  { make, value }: ResolvedFallback,
  error: unknown,
  context: FallbackContext | undefined,
): Promise<unknown> {
  try {
    return make ? await make(error, context as never) : value;
  } catch (thrown) {
    throw Object.is(thrown, error) ? error : new FallbackError(error, thrown);
  }
}
