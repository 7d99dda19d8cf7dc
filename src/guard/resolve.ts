import { ConfigError } from '../core/errors.ts';
import { OptionChecker } from '../core/options.ts';
import { resolveBreaker } from '../policies/breaker/index.ts';
import { resolveBulkhead } from '../policies/bulkhead/index.ts';
import { resolveCache } from '../policies/cache/index.ts';
import { resolveFallback } from '../policies/fallback/index.ts';
import { resolveRateLimit } from '../policies/rate-limit/index.ts';
import { resolveRetry } from '../policies/retry/index.ts';
import { resolveTimeout } from '../policies/timeout/index.ts';
import { lint } from './lint.ts';
import type { GuardOptions, KeyOptions, ResolvedGuard, SpanOptions } from './options.ts';

const KEYS = [
  'fallback',
  'cache',
  'timeout',
  'retry',
  'breaker',
  'rateLimit',
  'bulkhead',
  'failedResult',
  'peer',
  'spans',
  'keys',
  'strict',
] as const;
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
 * @param warn told of what does not fit together
 * @throws {ConfigError} that lists every problem
 */
export function resolveGuard(
  name: string,
  options: GuardOptions,
  warn: (message: string) => void,
): ResolvedGuard {
  checkName(name);
  const check = new OptionChecker(`guard "${name}"`);
  check.keys(options, KEYS, REMEDIES);
  check.function(
    'failedResult',
    options.failedResult,
    'Give a function that takes the value and says whether it counts as a failure.',
  );
  const resolved: ResolvedGuard = {
    fallback: under(check, 'fallback', options, resolveFallback),
    cache: under(check, 'cache', options, resolveCache),
    timeout: under(check, 'timeout', options, resolveTimeout) ?? { attemptMs: undefined, totalMs: undefined },
    retry: under(check, 'retry', options, resolveRetry),
    breaker: under(check, 'breaker', options, resolveBreaker),
    rateLimit: under(check, 'rateLimit', options, resolveRateLimit),
    bulkhead: under(check, 'bulkhead', options, resolveBulkhead),
    failedResult: options.failedResult,
    peer: checkedPeer(options.peer, check),
    spanForEveryAttempt: under(check, 'spans', options, resolveSpans) ?? false,
    maxKeys: under(check, 'keys', options, resolveKeys) ?? DEFAULT_MAX_KEYS,
    strict: check.boolean('strict', options.strict, false),
  };
  check.done();
  const misfits = lint(resolved);
  if (resolved.strict && misfits.length > 0) throw new ConfigError(`guard "${name}"`, misfits);
  for (const misfit of misfits) warn(`guard "${name}": ${misfit}`);
  return resolved;
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

function under<K extends keyof GuardOptions, R>(
  check: OptionChecker,
  key: K,
  options: GuardOptions,
  resolve: (options: NonNullable<GuardOptions[K]>, check: OptionChecker) => R,
): R | undefined {
  const value = options[key];
  if (value === undefined) return undefined;
  if (typeof value === 'object' && value !== null) return resolve(value, check.under(key));
  check.problem(
    key,
    'to be an object',
    value,
    'Write `{}` for its defaults, or leave it out to switch it off.',
  );
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
