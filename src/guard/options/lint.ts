import { NO_LIMITS } from '../../policies/facts.ts';
import type { ResolvedGuard } from './options.ts';
import { policiesIn } from './policies.ts';

/**
 * What does not fit together in a guard's options, though each of them is fine by itself.
 * @returns one sentence for each, with what to change
 */
export function lint(options: ResolvedGuard): readonly string[] {
  const limits = options.timeout ?? NO_LIMITS;
  return policiesIn(options).flatMap(({ facts, resolved }) => facts.lint?.(resolved, limits) ?? []);
}
