import type { BreakerState } from '../core/events.ts';
import type { Origin, Outcome } from '../core/outcome.ts';
import type { Breaker } from '../policies/breaker/index.ts';
import type { Bulkhead } from '../policies/bulkhead/index.ts';
import type { Cache } from '../policies/cache/index.ts';
import type { Limiter } from '../policies/rate-limit/index.ts';
import type { Reporter } from './reporter.ts';

/** The numbers and states of a guard at one moment. */
export interface GuardSnapshot {
  readonly name: string;
  /** Whether the policies are on. */
  readonly enabled: boolean;
  /** Calls that have ended, by outcome. */
  readonly calls: Readonly<Record<Outcome, number>>;
  /** Successful calls, by where the value came from. */
  readonly origins: Readonly<Record<Origin, number>>;
  /** Calls that have not ended. */
  readonly inFlight: number;
  /** Functions that still run although their call has ended. */
  readonly abandoned: number;
  /** Executions of guarded functions, by outcome. */
  readonly attempts: Readonly<Record<Exclude<Outcome, 'rejected'>, number>>;
  /** Executions that followed a failed one. */
  readonly retries: number;
  /** Retries that were not made, by reason. */
  readonly suppressed: Readonly<Record<string, number>>;
  /** Refusals, as `policy/reason`. */
  readonly rejections: Readonly<Record<string, number>>;
  readonly breaker?: {
    readonly state: BreakerState;
    /** Milliseconds until the open circuit lets a trial through. */
    readonly retryAfterMs: number | undefined;
    /** State changes, as `from/to`. */
    readonly transitions: Readonly<Record<string, number>>;
    /** Calls that shadow mode let through although the circuit would have refused them. */
    readonly shadowRejections: number;
  };
  readonly bulkhead?: {
    readonly active: number;
    readonly limit: number;
    readonly queued: number;
    readonly queueLimit: number;
  };
  readonly rateLimit?: {
    readonly available: number;
    readonly limit: number;
    readonly queued: number;
    /** Failures of the shared store, where there is one. */
    readonly storeFailures: number;
    /** Calls that went on without a limit because that store was away. */
    readonly unlimited: number;
  };
  readonly cache?: {
    readonly entries: number;
    readonly requests: Readonly<Record<string, number>>;
    /** Operations of the second tier that failed. */
    readonly tierFailures: number;
  };
  /** Keys that have state of their own. */
  readonly keys: number;
  /** How often a listener of this guard has thrown. */
  readonly listenerFailures: number;
}

/** What a snapshot is taken of, beside the counters. */
export interface SnapshotParts {
  readonly breaker: Breaker | undefined;
  readonly bulkhead: Bulkhead | undefined;
  readonly limiter: Limiter | undefined;
  readonly cache: Cache | undefined;
  readonly keys: number;
}

/** Takes a snapshot. */
export function snapshotOf(
  { name, counters, listenerFailures }: Reporter,
  parts: SnapshotParts,
  enabled: boolean,
): GuardSnapshot {
  const { breaker, bulkhead, limiter, cache, keys } = parts;
  return {
    name,
    enabled,
    calls: { ...counters.calls },
    origins: { ...counters.origins },
    inFlight: counters.inFlight,
    abandoned: counters.abandoned,
    attempts: { ...counters.attempts },
    retries: counters.retries,
    suppressed: { ...counters.suppressed },
    rejections: { ...counters.rejections },
    ...(breaker && { breaker: breakerOf(breaker, { ...counters.transitions }) }),
    ...(bulkhead && { bulkhead: bulkheadOf(bulkhead) }),
    ...(limiter && { rateLimit: limitOf(limiter) }),
    ...(cache && {
      cache: { entries: cache.entries, requests: { ...cache.counts }, tierFailures: cache.tierFailures },
    }),
    keys,
    listenerFailures,
  };
}

function breakerOf(
  breaker: Breaker,
  transitions: Readonly<Record<string, number>>,
): NonNullable<GuardSnapshot['breaker']> {
  const { state, retryAfterMs, shadowRejections } = breaker;
  return { state, retryAfterMs, transitions, shadowRejections };
}

function bulkheadOf({ active, limit, queued, queueLimit }: Bulkhead): NonNullable<GuardSnapshot['bulkhead']> {
  return { active, limit, queued, queueLimit };
}

function limitOf({ available, limit, queued, counters }: Limiter): NonNullable<GuardSnapshot['rateLimit']> {
  const { failures: storeFailures = 0, unlimited = 0 } = counters ?? {};
  return { available, limit, queued, storeFailures, unlimited };
}
