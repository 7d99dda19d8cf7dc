import { isRejection } from '../../core/errors.ts';
import type { Rejection } from '../../policies/cockatiel-rejection.ts';
import { cockatielRejection } from '../../policies/cockatiel-rejection.ts';

/** A refusal of an observed policy. */
export interface ObservedRejection extends Rejection {
  readonly retryAfterMs: number | undefined;
}

/** Who refused the call, if a policy of cockatiel's or of Keelson's own did; `undefined` for any other error. */
export function rejectionOf(error: unknown): ObservedRejection | undefined {
  if (isRejection(error) && standsAlone(error) && error.source.policy)
    return { policy: error.source.policy, reason: error.reason, retryAfterMs: error.retryAfterMs };
  const rejection = cockatielRejection(error);
  return rejection && { ...rejection, retryAfterMs: undefined };
}

/** Whether a policy gave up waiting: cockatiel's timeout, or Keelson's own. */
export function isTimedOut(error: unknown): boolean {
  return (error instanceof Error && 'isTaskCancelledError' in error) || isOwnTimeout(error);
}

/** Whether Keelson's own timeout, as a policy that stands alone, gave up waiting; holds across two copies of the package. */
export function isOwnTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError' && 'scope' in error && standsAlone(error);
}

/** The error of a guard names that guard: it comes out of the observed function, and not out of a policy around it. */
function standsAlone(error: object): boolean {
  const source: unknown = Reflect.get(error, 'source');
  return typeof source === 'object' && source !== null && !('guard' in source);
}
