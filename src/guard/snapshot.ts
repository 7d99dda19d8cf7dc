import type { Origin, Outcome } from '../core/outcome.ts';
import type { Reporter } from './call/reporter.ts';
import type { PolicyMechanisms, PolicySnapshots } from './options/policies.ts';
import { POLICIES, under } from './options/policies.ts';

/** The numbers and states of a guard at one moment. */
export interface GuardSnapshot extends PolicySnapshots {
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
  /** Keys that have state of their own. */
  readonly keys: number;
  /** How often a listener of this guard has thrown. */
  readonly listenerFailures: number;
}

/** Takes a snapshot. @param keys how many keys have state of their own */
export function snapshotOf(
  { name, counters, listenerFailures }: Reporter,
  mechanisms: PolicyMechanisms,
  keys: number,
  enabled: boolean,
): GuardSnapshot {
  const policies = POLICIES.flatMap((facts) => {
    const mechanism = under(mechanisms, facts);
    return mechanism && facts.snapshot ? [[facts.key, facts.snapshot(mechanism, counters)]] : [];
  });
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
    ...Object.fromEntries(policies),
    keys,
    listenerFailures,
  };
}
