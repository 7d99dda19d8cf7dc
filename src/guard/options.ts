import { ConfigError } from '../core/errors.ts';
import { OptionChecker } from '../core/options.ts';
import type { BreakerOptions, ResolvedBreaker } from '../policies/breaker/index.ts';
import { resolveBreaker } from '../policies/breaker/index.ts';
import type { BulkheadOptions, ResolvedBulkhead } from '../policies/bulkhead/index.ts';
import { resolveBulkhead } from '../policies/bulkhead/index.ts';
import type { ResolvedRetry, RetryOptions } from '../policies/retry/index.ts';
import { resolveRetry } from '../policies/retry/index.ts';
import type { ResolvedTimeout, TimeoutOptions } from '../policies/timeout/index.ts';
import { resolveTimeout } from '../policies/timeout/index.ts';

/** What a guard does with a call. A policy that is left out is off; one that is given as `{}` has its defaults. */
export interface GuardOptions {
  readonly retry?: RetryOptions;
  readonly breaker?: BreakerOptions;
  readonly bulkhead?: BulkheadOptions;
  readonly timeout?: TimeoutOptions;
  readonly spans?: SpanOptions;
  /** Values of the function that count as failures, such as `(response) => response.status >= 500`: retried, counted, and given in the end. */
  readonly failedResult?: (value: never) => boolean;
}

/** What is traced beyond the span of the call itself. */
export interface SpanOptions {
  /** `retried`: attempts have spans once there is more than one. `all`: every attempt has one. @defaultValue 'retried' */
  readonly attempts?: 'retried' | 'all';
}

/** {@link GuardOptions} with every default filled in. */
export interface ResolvedGuard {
  readonly retry: ResolvedRetry | undefined;
  readonly breaker: ResolvedBreaker | undefined;
  readonly bulkhead: ResolvedBulkhead | undefined;
  readonly timeout: ResolvedTimeout;
  readonly spanForEveryAttempt: boolean;
  readonly failedResult: ((value: never) => boolean) | undefined;
}

const KEYS = ['retry', 'breaker', 'bulkhead', 'timeout', 'spans', 'failedResult'] as const;
const MAX_NAME_LENGTH = 120;

/**
 * Checks a guard's name and options.
 * @throws {ConfigError} that lists every problem
 */
export function resolveGuard(name: string, options: GuardOptions): ResolvedGuard {
  checkName(name);
  const check = new OptionChecker(`guard "${name}"`);
  check.keys(options, KEYS);
  check.function(
    'failedResult',
    options.failedResult,
    'Give a function that takes the value and says whether it counts as a failure.',
  );
  const resolved = {
    retry: under(check, 'retry', options, resolveRetry),
    breaker: under(check, 'breaker', options, resolveBreaker),
    bulkhead: under(check, 'bulkhead', options, resolveBulkhead),
    timeout: under(check, 'timeout', options, resolveTimeout) ?? { attemptMs: undefined, totalMs: undefined },
    spanForEveryAttempt: under(check, 'spans', options, resolveSpans) ?? false,
    failedResult: options.failedResult,
  };
  check.done();
  return resolved;
}

/** @throws {ConfigError} for a name that telemetry cannot carry */
export function checkName(name: unknown): asserts name is string {
  if (typeof name === 'string' && name.trim() === name && name.length > 0 && name.length <= MAX_NAME_LENGTH)
    return;
  throw new ConfigError('guard', [
    `Expected the name to be 1 to ${MAX_NAME_LENGTH} characters without blanks around them, got ${JSON.stringify(name) ?? String(name)}. ` +
      'Name the dependency, such as `payments`.',
  ]);
}

function under<K extends keyof GuardOptions, R>(
  check: OptionChecker,
  key: K,
  options: GuardOptions,
  resolve: (options: NonNullable<GuardOptions[K]>, check: OptionChecker) => R,
): R | undefined {
  const value = options[key];
  if (value === undefined) return undefined;
  const inner = check.under(key);
  if (typeof value === 'object' && value !== null) return resolve(value, inner);
  inner.keys(value, []);
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

/** Whether two sets of options mean the same guard: equal values, and the very same functions. */
export function sameOptions(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameOptions(Reflect.get(a, key), Reflect.get(b, key)));
}
