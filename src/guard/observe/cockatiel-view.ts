import type { BreakerState } from '../../core/events.ts';
import type { BreakerView, BulkheadView } from '../../core/stats.ts';

/** Any policy of cockatiel's, of version 3 or 4: told apart by shape, so that it does not matter whose copy made it. */
export interface CockatielPolicy {
  readonly execute: (...args: never[]) => Promise<unknown>;
}

/** The parts of a policy, single or wrapped, that telemetry can read. */
export interface CockatielParts {
  readonly breaker: CockatielBreaker | undefined;
  readonly bulkhead: BulkheadView | undefined;
  readonly retries: readonly CockatielRetry[];
  readonly fallbacks: readonly CockatielFallback[];
}

/** A cockatiel breaker: its numeric state, and who to ask for changes. */
export interface CockatielBreaker {
  readonly state: number;
  readonly onStateChange: (listener: (state: number) => void) => unknown;
}

/** A cockatiel retry. */
export interface CockatielRetry {
  readonly onRetry: (
    listener: (event: { readonly delay: number; readonly attempt: number; readonly error?: unknown }) => void,
  ) => unknown;
}

/** A cockatiel fallback. */
export interface CockatielFallback {
  readonly onFailure: (
    listener: (event: { readonly handled: boolean; readonly reason: { readonly error?: unknown } }) => void,
  ) => unknown;
}

interface CockatielBulkhead {
  readonly executionSlots: number;
  readonly queueSlots: number;
}

/** Cockatiel's `CircuitState`, by number. */
const STATES: readonly BreakerState[] = ['closed', 'open', 'half_open', 'forced_open'];

/** Cockatiel's state in Keelson's words. */
export function breakerState(state: number): BreakerState {
  return STATES[state] ?? 'closed';
}

/** Keelson's view of a cockatiel breaker. */
export function breakerView(breaker: CockatielBreaker): BreakerView {
  return {
    get state() {
      return breakerState(breaker.state);
    },
  };
}

/** Looks into a policy, and into those that it wraps; of two breakers or bulkheads the outer one is read. */
export function partsOf(policy: object): CockatielParts {
  const all = flatten(policy);
  const bulkhead = all.find(isBulkhead);
  return {
    breaker: all.find(isBreaker),
    bulkhead: bulkhead && bulkheadView(bulkhead),
    retries: all.filter(isRetry),
    fallbacks: all.filter(isFallback),
  };
}

/** Whether cockatiel gave up waiting: its own timeout, or an abort of the caller. */
export function isTaskCancelled(error: unknown): boolean {
  return error instanceof Error && 'isTaskCancelledError' in error;
}

function flatten(policy: object): object[] {
  const wrapped: unknown = Reflect.get(policy, 'wrapped');
  return [policy, ...(Array.isArray(wrapped) ? wrapped.flatMap((part: object) => flatten(part)) : [])];
}

function isBreaker(part: object): part is CockatielBreaker {
  return 'onStateChange' in part && 'state' in part;
}

function isBulkhead(part: object): part is CockatielBulkhead {
  return 'executionSlots' in part && 'queueSlots' in part;
}

function isRetry(part: object): part is CockatielRetry {
  return 'onRetry' in part && 'onGiveUp' in part;
}

/** Nothing public marks a fallback: no other policy keeps a function as its `value`. */
function isFallback(part: object): part is CockatielFallback {
  return 'onFailure' in part && 'executor' in part && 'value' in part && typeof part.value === 'function';
}

/** Cockatiel tells only free slots; what is free when the policy is first seen, and nothing runs, is the limit. */
function bulkheadView(bulkhead: CockatielBulkhead): BulkheadView {
  const limit = bulkhead.executionSlots;
  const queueLimit = bulkhead.queueSlots;
  return {
    limit,
    queueLimit,
    get active() {
      return limit - bulkhead.executionSlots;
    },
    get queued() {
      return queueLimit - bulkhead.queueSlots;
    },
  };
}
