import type { Origin } from '../../core/outcome.ts';
import { ORIGINS } from '../../core/outcome.ts';
import { GuardCounters } from '../../core/stats.ts';
import type { ResolvedPolicies } from './policies.ts';
import { policiesIn } from './policies.ts';

/** The counters of a guard, with every key that its policies can count under. */
export function countersFor(options: ResolvedPolicies): GuardCounters {
  const counters = new GuardCounters([], []);
  addKeys(counters, options);
  return counters;
}

/** Adds, at 0, the keys that new options can count under. */
export function addKeys(counters: GuardCounters, options: ResolvedPolicies): void {
  for (const { facts, resolved } of policiesIn(options)) {
    for (const key of facts.rejectionKeys?.(resolved) ?? []) counters.rejections[key] ??= 0;
    for (const key of facts.waitKeys?.(resolved) ?? []) counters.waitMs[key] ??= 0;
  }
}

/** Where the values of a guard can come from. */
export function originsOf(options: ResolvedPolicies): readonly Origin[] {
  const others = policiesIn(options).flatMap(({ facts }) => facts.origins ?? []);
  return ORIGINS.filter((origin) => origin === 'live' || others.includes(origin));
}
