import type { PolicySupport } from '../../policies/facts.ts';
import type { PipelineMechanisms, ResolvedPolicies } from './policies.ts';
import { POLICIES, under } from './policies.ts';

/** The options of a guard and what came of them. */
export interface Made {
  readonly options: ResolvedPolicies;
  readonly mechanisms: PipelineMechanisms;
}

/**
 * Makes what keeps the state of each policy.
 * @param before those of the options that these follow: a policy that has the very same options keeps its state
 */
export function makeMechanisms(
  options: ResolvedPolicies,
  support: PolicySupport,
  before: Made | undefined,
): PipelineMechanisms {
  const made = POLICIES.map((facts) => {
    const resolved = under(options, facts);
    const previous = before && under(before.mechanisms, facts);
    if (previous && under(before.options, facts) === resolved) return [facts.key, previous] as const;
    return [facts.key, resolved && facts.make?.(resolved, support, previous)] as const;
  });
  // Every key is there for every guard, so that calls of all guards read objects of one shape. The loop cannot state their types.
  return Object.fromEntries(made) as unknown as PipelineMechanisms;
}
