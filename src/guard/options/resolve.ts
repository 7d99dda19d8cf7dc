import { ConfigError } from '../../core/errors.ts';
import { OptionChecker } from '../../core/options.ts';
import { lint } from './lint.ts';
import { lintSpread, withPreset } from './merge-preset.ts';
import type { GuardOptions, KeyOptions, ResolvedGuard, SpanOptions } from './options.ts';
import type { ResolvedPolicies } from './policies.ts';
import { POLICIES } from './policies.ts';

const KEYS = [
  ...POLICIES.map(({ key }) => key),
  'preset',
  'failedResult',
  'dispose',
  'peer',
  'inherit',
  'spans',
  'keys',
  'strict',
];
/** What belongs elsewhere, and is looked for here. */
const REMEDIES = {
  retries: 'Did you mean `retry`? Write `retry: { retries: 3 }`.',
  idempotent: ofCall('idempotent: false'),
  signal: ofCall('signal'),
  requestId: ofCall('requestId'),
  cacheKey: ofCall('cacheKey: id'),
} as const;
const MAX_NAME_LENGTH = 120;
const DEFAULT_MAX_KEYS = 1_000;

/**
 * Checks a guard's name and options.
 * @param warn takes a message for each pair of options that do not fit together
 * @throws {ConfigError} that lists every problem
 */
export function resolveGuard(
  name: string,
  given: GuardOptions,
  warn: (message: string) => void,
): ResolvedGuard {
  checkName(name);
  const check = new OptionChecker(`guard "${name}"`);
  check.keys(given, KEYS, REMEDIES);
  const options = withPreset(given, check);
  check.filter(
    'failedResult',
    options.failedResult,
    'Give a function that takes the value and says whether it counts as a failure.',
  );
  check.function('dispose', options.dispose, 'Give a function that takes the value and frees what it holds.');
  const resolved: ResolvedGuard = {
    ...resolvePolicies(options, check),
    failedResult: options.failedResult,
    dispose: options.dispose,
    peer: checkedPeer(options.peer, check),
    inherit: check.boolean('inherit', options.inherit, true),
    spanForEveryAttempt: resolveUnder(check, 'spans', options.spans, resolveSpans) ?? false,
    maxKeys: resolveUnder(check, 'keys', options.keys, resolveKeys) ?? DEFAULT_MAX_KEYS,
    strict: check.boolean('strict', options.strict, false),
  };
  check.done();
  const misfits = [...lintSpread(given), ...lint(resolved)];
  if (resolved.strict && misfits.length > 0) throw new ConfigError(`guard "${name}"`, misfits);
  for (const misfit of misfits) warn(`guard "${name}": ${misfit}`);
  return resolved;
}

/** The options of a guard whose policies are all off. @param name the guard's */
export function withoutPolicies(name: string): ResolvedGuard {
  return resolveGuard(name, {}, () => {});
}

function ofCall(option: string): string {
  return `It belongs to the call: \`run(operation, fn, { ${option} })\`.`;
}

/** @throws {ConfigError} for a name that telemetry cannot carry */
export function checkName(name: unknown): asserts name is string {
  if (isName(name)) return;
  throw new ConfigError('guard', [
    `Expected the name to be 1 to ${MAX_NAME_LENGTH} characters without control characters and without blanks around them, got ${JSON.stringify(name) ?? String(name)}. ` +
      'Name the dependency, such as `payments`.',
  ]);
}

function isName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    name.trim() === name &&
    name.length > 0 &&
    name.length <= MAX_NAME_LENGTH &&
    !/\p{Cc}/u.test(name)
  );
}

function checkedPeer(peer: unknown, check: OptionChecker): string | undefined {
  if (peer === undefined || isName(peer)) return peer;
  check.problem(
    'peer',
    `to be 1 to ${MAX_NAME_LENGTH} characters without control characters and without blanks around them`,
    peer,
    'Give the `service.name` of the dependency, or leave it out.',
  );
  return undefined;
}

/** The policies one by one, as each of them resolves its own options. */
function resolvePolicies(options: GuardOptions, check: OptionChecker): ResolvedPolicies {
  const resolved = POLICIES.map((facts) => {
    const given: unknown = Reflect.get(Object(options), facts.key);
    const resolve = (own: object, below: OptionChecker): object => facts.resolve(own, below);
    return [facts.key, resolveUnder(check, facts.key, given as object | false | undefined, resolve)] as const;
  });
  // Each facts object states the types of its own key; a loop over all of them cannot.
  return Object.fromEntries(resolved) as unknown as ResolvedPolicies;
}

function resolveUnder<O extends object, R>(
  check: OptionChecker,
  key: string,
  options: O | false | undefined,
  resolve: (options: O, check: OptionChecker) => R,
): R | undefined {
  if (options === undefined || options === false) return undefined;
  if (typeof options === 'object' && options !== null) return resolve(options, check.under(key));
  check.problem(key, 'to be an object', options, 'Write `{}` for its defaults, or `false` to switch it off.');
  return undefined;
}

function resolveSpans(options: SpanOptions, check: OptionChecker): boolean {
  check.keys(options, ['attempts']);
  const { attempts } = options;
  if (attempts !== undefined && attempts !== 'retried' && attempts !== 'all') {
    check.problem('attempts', "to be 'retried' or 'all'", attempts, "The default is 'retried'.");
  }
  return attempts === 'all';
}

function resolveKeys(options: KeyOptions, check: OptionChecker): number {
  check.keys(options, ['max']);
  return check.number('max', options.max, { min: 1, max: 1_000_000, integer: true }, DEFAULT_MAX_KEYS);
}
