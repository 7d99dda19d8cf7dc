import type { BreakerState } from './events.ts';
import type { AbandonedCounter } from './execution.ts';
import type { Origin, Outcome, PolicyName, RejectionReason, SuppressionReason } from './outcome.ts';
import { ORIGINS, OUTCOMES, SUPPRESSION_REASONS } from './outcome.ts';

/** Counts under a closed set of keys: every key is there from the start, at 0. */
export type Tally<K extends string> = Record<K, number>;

/** @returns a tally of `keys`, all at 0 */
export function tally<K extends string>(keys: readonly K[]): Tally<K> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Tally<K>;
}

/** The rejections that a policy can make, as `policy/reason`. */
export type RejectionKey = `${PolicyName}/${RejectionReason}`;

/** The pairs of states between which a breaker can go, as `from/to`. */
export type TransitionKey = `${BreakerState}/${BreakerState}`;

/** What can happen to a breaker by itself or by hand. */
export const TRANSITION_KEYS: readonly TransitionKey[] = [
  'closed/open',
  'open/half_open',
  'half_open/open',
  'half_open/closed',
  'closed/forced_open',
  'open/forced_open',
  'half_open/forced_open',
  'disabled/forced_open',
  'closed/disabled',
  'open/disabled',
  'half_open/disabled',
  'forced_open/disabled',
  'open/closed',
  'forced_open/closed',
  'disabled/closed',
];

/** The plain numbers of a guard. The guarded call only adds to them; instruments read them when somebody asks. */
export class GuardCounters implements AbandonedCounter {
  /** Calls by outcome. */
  readonly calls: Tally<Outcome> = tally(OUTCOMES);
  /** Successful calls by where the value came from. */
  readonly origins: Tally<Origin> = tally(ORIGINS);
  /** Executions of the function by outcome. */
  readonly attempts: Tally<Exclude<Outcome, 'rejected'>> = tally([
    'success',
    'failure',
    'timeout',
    'cancelled',
  ]);
  /** Executions that followed a failed one. */
  retries = 0;
  readonly suppressed: Tally<SuppressionReason> = tally(SUPPRESSION_REASONS);
  readonly rejections: Record<string, number>;
  readonly transitions: Tally<TransitionKey> = tally(TRANSITION_KEYS);
  /** Milliseconds by the policy that was waited for. */
  readonly waitMs: Record<string, number>;
  /** Calls that have not ended. */
  inFlight = 0;
  abandoned = 0;

  /**
   * @param rejections the rejections that the guard's policies can make
   * @param waits the policies that can make a call wait
   */
  constructor(rejections: readonly RejectionKey[], waits: readonly PolicyName[]) {
    this.rejections = tally(rejections);
    this.waitMs = tally(waits);
  }
}

/** A breaker as telemetry sees it. */
export interface BreakerView {
  readonly state: BreakerState;
}

/** A bulkhead as telemetry sees it. */
export interface BulkheadView {
  readonly active: number;
  readonly limit: number;
  readonly queued: number;
  readonly queueLimit: number;
}

/** A rate limit as telemetry sees it. */
export interface RateLimitView {
  readonly available: number;
  readonly limit: number;
  /** What went wrong with the shared store, where there is one. */
  readonly counters?: { readonly failures: number; readonly unlimited: number };
}

/** A cache as telemetry sees it. */
export interface CacheView {
  /** Answered requests by result. */
  readonly counts: Readonly<Record<string, number>>;
  readonly entries: number;
  readonly hasTier: boolean;
  /** Operations of the second tier that failed. */
  readonly tierFailures: number;
}

/** The keys of a guard as telemetry sees them. */
export interface KeysView {
  readonly size: number;
  /** Keys that have state of their own, by the state of their breaker. */
  byBreakerState(): Readonly<Record<BreakerState, number>>;
}

/** What the metrics of one guard are read from. */
export interface GuardSource {
  readonly name: string;
  readonly counters: GuardCounters;
  /** The origins that this guard's calls can have. */
  readonly origins: readonly Origin[];
  readonly breaker: BreakerView | undefined;
  readonly bulkhead: BulkheadView | undefined;
  readonly rateLimit?: RateLimitView | undefined;
  readonly cache?: CacheView | undefined;
  readonly keys?: KeysView | undefined;
}
