import type { ErrorSource } from '../core/errors.ts';
import type { BreakerState } from '../core/events.ts';
import type { OptionChecker } from '../core/options.ts';
import type { Origin, PolicyName } from '../core/outcome.ts';
import type { Random } from '../core/random.ts';
import type { GuardCounters, RejectionKey } from '../core/stats.ts';
import type { StoreWatch } from '../core/store-watch.ts';
import type { Clock } from '../core/time/clock.ts';
import { formatDuration } from '../core/time/duration.ts';

/** The time limits of a call. The waits and attempts of every policy have to fit into them. */
export interface TimeLimits {
  /** Milliseconds for one attempt; `undefined` for no limit. */
  readonly attemptMs: number | undefined;
  /** Milliseconds for the whole call; `undefined` for no limit. */
  readonly totalMs: number | undefined;
}

/** The limits of a call that has none. */
export const NO_LIMITS: TimeLimits = { attemptMs: undefined, totalMs: undefined };

/** What a guard lends its policies. */
export interface PolicySupport {
  readonly clock: Clock;
  readonly random: Random;
  /** Who refuses, for the errors of the policy. */
  readonly source: ErrorSource;
  /** The key of a keyed guard: state in a shared store is its own. */
  readonly key: string | undefined;
  /** How the store of a shared limit does. */
  readonly limiterStore: StoreWatch;
  /** Hears of each change of a circuit's state. */
  readonly onTransition: (from: BreakerState, to: BreakerState) => void;
  /** Warns once of all that is called `about`. */
  readonly warnOnce: (about: string, message: () => string) => void;
}

/**
 * Everything that a guard knows of a policy, except how calls pass through it. Each policy folder has one in its `facts.ts`; the guard loops over
 * all of them and names no policy.
 */
export interface PolicyFacts<Options, Resolved, Mechanism = never, Snapshot = never> {
  /** The name of the policy among the guard's options, its mechanisms and in its snapshot. */
  readonly key: string;
  /** Checks the options and fills in the defaults. Problems go to `check`. */
  resolve(options: Options, check: OptionChecker): Resolved;
  /**
   * Says in a few words what the policy does.
   * @param place where in the call, for a policy that acts in two places
   * @param mechanism what is in force; `undefined` before there is one
   * @returns one line; `undefined` if the policy does nothing in this place
   */
  describe(resolved: Resolved, place?: string, mechanism?: Mechanism): string | undefined;
  /** @returns one sentence for each thing that is valid by itself and does not fit the rest, with what to change */
  lint?(resolved: Resolved, limits: TimeLimits): readonly string[];
  /** The options of a preset in whose place these are, since both together would contradict one another. */
  replaces?(options: Options): readonly string[];
  /** The refusals that this policy can make, as `policy/reason`: they are counted from 0. */
  rejectionKeys?(resolved: Resolved): readonly RejectionKey[];
  /** The policies under which the waits of this one are counted. */
  waitKeys?(resolved: Resolved): readonly PolicyName[];
  /** Where values can come from because of this policy, beside the function itself. */
  readonly origins?: readonly Origin[];
  /**
   * Makes what keeps the policy's state, for a policy that has any.
   * @param before what it takes the place of, because the options have changed
   */
  make?(resolved: Resolved, support: PolicySupport, before: Mechanism | undefined): Mechanism;
  /** Whether the state of an idle key must not be forgotten: something would be let through or lost. */
  isBusy?(mechanism: Mechanism): boolean;
  /** The policy's part of a guard's snapshot: a copy of its numbers and states. */
  snapshot?(mechanism: Mechanism, counters: GuardCounters): Snapshot;
}

/** `1 key`, `2 keys`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A filter among the options in words: `, retryIf isHttpFailure`; nothing if there is none. @param name the option */
export function filterText(name: string, filter: { readonly name: string } | undefined): string {
  if (!filter) return '';
  return `, ${name} ${filter.name === '' || filter.name === name ? '(a filter)' : filter.name}`;
}

/** Warns of a wait that the total limit of time always ends first. @param name the option, as the user writes it */
export function lintWait(name: string, ms: number | undefined, { totalMs }: TimeLimits): string[] {
  if (ms === undefined || totalMs === undefined || ms < totalMs) return [];
  return [
    `${name} (${formatDuration(ms)}) is never reached within timeout.total (${formatDuration(totalMs)}). Make it shorter.`,
  ];
}
