import { filterText } from '../../policies/facts.ts';
import type { ResolvedGuard } from './options.ts';
import type { PolicyMechanisms } from './policies.ts';
import { LAYERS, under } from './policies.ts';

/** Says in words what a guard does with a call, outermost first: one line for each place at which a policy acts. */
export function describe(
  name: string,
  options: ResolvedGuard,
  mechanisms: PolicyMechanisms,
  isOn: boolean,
): string {
  const lines = LAYERS.map(({ facts, place }) => {
    const resolved = under(options, facts);
    return resolved && facts.describe(resolved, place, under(mechanisms, facts));
  }).filter((line) => line !== undefined);
  const peer = options.peer === undefined ? '' : `, peer ${options.peer}`;
  const title = `${name}${peer}${isOn ? '' : ' (switched off: only the call is made)'}`;
  const call = `call${filterText('failedResult', options.failedResult)}`;
  return [title, ...[...lines, call].map((line, index) => `${'  '.repeat(index + 1)}${line}`)].join('\n');
}
