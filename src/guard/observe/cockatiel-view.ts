import type { BreakerState } from '../../core/events.ts';
import type { BreakerView, BulkheadView, RejectionKey } from '../../core/stats.ts';
import type { BreakerPolicy } from '../../policies/breaker/index.ts';
import type { FallbackPolicy } from '../../policies/fallback/index.ts';

/** Any policy of cockatiel's, of version 3 or 4: told apart by shape, so that it does not matter whose copy made it. */
export interface CockatielPolicy {
  readonly execute: (...args: never[]) => Promise<unknown>;
}

/** The parts of a policy, single or wrapped, that telemetry can read; those of cockatiel's and Keelson's own policies alike. */
export interface PolicyParts {
  readonly breaker: ObservedBreaker | undefined;
  readonly bulkhead: BulkheadView | undefined;
  readonly retries: readonly ObservedRetry[];
  readonly fallbacks: readonly ObservedFallback[];
  /** What the policies can refuse calls for. */
  readonly rejections: readonly RejectionKey[];
}

/** A breaker, and who to ask for changes. */
export interface ObservedBreaker {
  readonly view: BreakerView;
  readonly onChange: (listener: (from: BreakerState, to: BreakerState) => void) => unknown;
}

/** A retry, and who to ask for what it does again. */
export interface ObservedRetry {
  readonly onRetry: (listener: (delayMs: number, error: unknown) => void) => unknown;
}

/** A fallback, and who to ask for the errors for which it stands in. */
export interface ObservedFallback {
  readonly onUse: (listener: (error: unknown) => void) => unknown;
}

/** A cockatiel breaker: its numeric state, and who to ask for changes. */
interface CockatielBreaker {
  readonly state: number;
  readonly onStateChange: (listener: (state: number) => void) => unknown;
}

/** A cockatiel retry, or one of Keelson's own. */
interface Retrying {
  readonly onRetry: (
    listener: (event: {
      readonly delay?: number;
      readonly delayMs?: number;
      readonly error?: unknown;
    }) => void,
  ) => unknown;
}

/** A cockatiel fallback. */
interface CockatielFallback {
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

/** Looks into a policy, and into those that it wraps; of two breakers or bulkheads the outer one is read. */
export function partsOf(policy: object): PolicyParts {
  const all = flatten(policy);
  const breakers = all.flatMap((part) => breakerIn(part) ?? []);
  const bulkhead = all.find(isBulkhead);
  return {
    breaker: breakers[0],
    bulkhead: bulkhead && bulkheadView(bulkhead),
    retries: all.filter(isRetry).map(observedRetry),
    fallbacks: all.flatMap((part) => fallbackIn(part) ?? []),
    rejections: [
      ...(breakers.length > 0 ? BREAKER_REJECTIONS : []),
      ...(bulkhead ? (['bulkhead/full'] as const) : []),
      ...(all.some(isOwnRateLimit) ? (['rate_limit/rate_limited'] as const) : []),
    ],
  };
}

const BREAKER_REJECTIONS = ['breaker/open', 'breaker/half_open', 'breaker/forced_open'] as const;

function flatten(policy: object): object[] {
  const wrapped: unknown = Reflect.get(policy, 'wrapped');
  return [policy, ...(Array.isArray(wrapped) ? wrapped.flatMap((part: object) => flatten(part)) : [])];
}

function breakerIn(part: object): ObservedBreaker | undefined {
  if (isOwnBreaker(part)) {
    return {
      view: part.breaker,
      onChange: (listener) => part.onTransition(({ from, to }) => listener(from, to)),
    };
  }
  if (!isCockatielBreaker(part)) return undefined;
  const state = (): BreakerState => STATES[part.state] ?? 'closed';
  return {
    view: {
      get state() {
        return state();
      },
    },
    onChange: (listener) => {
      let from = state();
      return part.onStateChange((number) => {
        const to = STATES[number] ?? 'closed';
        listener(from, to);
        from = to;
      });
    },
  };
}

function isCockatielBreaker(part: object): part is CockatielBreaker {
  return 'onStateChange' in part && 'state' in part;
}

function isOwnBreaker(part: object): part is BreakerPolicy {
  return 'onTransition' in part && 'breaker' in part;
}

function isOwnRateLimit(part: object): boolean {
  return 'limiter' in part;
}

function isBulkhead(part: object): part is CockatielBulkhead {
  return 'executionSlots' in part && 'queueSlots' in part;
}

function isRetry(part: object): part is Retrying {
  return 'onRetry' in part;
}

function observedRetry(part: Retrying): ObservedRetry {
  return {
    onRetry: (listener) =>
      part.onRetry(({ delay, delayMs, error }) => listener(delay ?? delayMs ?? 0, error)),
  };
}

function fallbackIn(part: object): ObservedFallback | undefined {
  if (isOwnFallback(part)) return { onUse: (listener) => part.onFallback(({ error }) => listener(error)) };
  if (!isCockatielFallback(part)) return undefined;
  return {
    onUse: (listener) =>
      part.onFailure(({ handled, reason }) => {
        if (handled) listener(reason.error);
      }),
  };
}

function isOwnFallback(part: object): part is FallbackPolicy<unknown> {
  return 'onFallback' in part;
}

/** Nothing public marks a fallback of cockatiel: no other policy keeps a function as its `value`. */
function isCockatielFallback(part: object): part is CockatielFallback {
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
