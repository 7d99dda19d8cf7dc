import type { OptionChecker } from '../../core/options.ts';
import type { GuardOptions } from './options.ts';
import { POLICIES, under } from './policies.ts';
import { isPresetName, presetProblem, presets } from './presets.ts';

/** Options that cost nobody anything if they are lost in silence are not named. */
const WORTH_A_WARNING = ['retryIf', 'failureIf', 'budget'] as const;

/**
 * The options of a guard with those of its `preset` filled in: policies are merged key by key, and `false` removes one.
 * @param check takes the problem of a preset that does not exist
 */
export function withPreset(options: GuardOptions, check: OptionChecker): GuardOptions {
  const name: unknown = Object(options).preset;
  if (name === undefined) return options;
  if (!isPresetName(name)) {
    check.problem('preset', 'to be the name of a preset', name, presetProblem(name));
    return options;
  }
  const base = presets[name];
  const merged = POLICIES.map((facts) => {
    const own: unknown = Reflect.get(options, facts.key);
    const below = under(base, facts);
    if (own === undefined) return [facts.key, below] as const;
    const isMerged = typeof own === 'object' && own !== null && !Array.isArray(own) && below !== undefined;
    return [facts.key, isMerged ? mergedPolicy(below, own, facts.replaces?.(own) ?? []) : own] as const;
  });
  // The loop over all policies cannot state their types.
  const policies = Object.fromEntries(merged) as Partial<GuardOptions>;
  const failedResult = options.failedResult ?? base.failedResult;
  return { ...options, ...policies, ...(failedResult && { failedResult }) };
}

/** @param replaced the keys of `base` in whose place those of `own` are */
function mergedPolicy(base: object, own: object, replaced: readonly string[]): object {
  const kept = Object.entries(base).filter(([key]) => !replaced.includes(key));
  const given = Object.entries(own).filter(([, value]) => value !== undefined);
  return Object.fromEntries([...kept, ...given]);
}

/**
 * Finds options that a preset was spread into, and in which another policy took the place of the preset's without its filter or budget.
 * @returns one sentence for each, with what to write
 */
export function lintSpread(options: GuardOptions): readonly string[] {
  if (typeof options !== 'object' || options === null || options.preset !== undefined) return [];
  const [name, base] = spreadPreset(options) ?? [];
  if (!name || !base) return [];
  return POLICIES.flatMap((facts) => {
    const [own, below] = [under(options, facts), under(base, facts)];
    if (!own || !below || own === below) return [];
    const lost = WORTH_A_WARNING.filter(
      (key) => Reflect.has(below, key) && Reflect.get(own, key) === undefined,
    );
    if (lost.length === 0) return [];
    const keys = lost.map((key) => `\`${key}\``).join(' and ');
    return [
      `\`${facts.key}\` takes the place of that of the preset \`${name}\`, without its ${keys}. ` +
        `Write \`preset: '${name}'\` in place of the spread: policies beside it are merged into it.`,
    ];
  });
}

/** The preset that most parts of the options come from. */
function spreadPreset(options: GuardOptions): [name: string, base: GuardOptions] | undefined {
  let most = 0;
  let found: [string, GuardOptions] | undefined;
  for (const [name, base] of Object.entries(presets)) {
    const parts = Object.entries(base).filter(([key, part]) => Reflect.get(options, key) === part).length;
    if (parts <= most) continue;
    most = parts;
    found = [name, base];
  }
  return found;
}
