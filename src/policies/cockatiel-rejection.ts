import { isRejection } from '../core/errors.ts';
import type { PolicyName, RejectionReason } from '../core/outcome.ts';

/** Who refused a call, and why. */
export interface Rejection {
  readonly policy: PolicyName;
  readonly reason: RejectionReason;
}

/** What a rejection of cockatiel's, 3 or 4, means, by the brands that its errors carry; `undefined` for any other error. */
export function cockatielRejection(error: unknown): Rejection | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('isBulkheadRejectedError' in error) return { policy: 'bulkhead', reason: 'full' };
  if ('isIsolatedCircuitError' in error) return { policy: 'breaker', reason: 'forced_open' };
  if ('isHydratingCircuitError' in error) return { policy: 'breaker', reason: 'half_open' };
  if ('isBrokenCircuitError' in error) return { policy: 'breaker', reason: 'open' };
  return undefined;
}

/** Whether `error` is the refusal of a policy, ours or cockatiel's: it says nothing about the dependency. */
export function isRefusal(error: unknown): boolean {
  return isRejection(error) || cockatielRejection(error) !== undefined;
}
