import type { IBackoffFactory, IRetryBackoffContext } from 'cockatiel';
import type { OptionChecker } from '../../core/options.ts';
import type { Duration } from '../../core/time/duration.ts';
import type { BackoffStrategy } from './backoff.ts';
import { BACKOFF_STRATEGIES } from './backoff.ts';
import type { ResolvedBudget, RetryBudgetOptions } from './budget.ts';

/** When to try again, and after which delay. */
export interface RetryOptions {
  /** Executions after the first one: `retries: 3` means at most 4. A whole number from 0 to 100. @defaultValue 3 */
  readonly retries?: number;
  /** How delays grow. @defaultValue 'exponential' */
  readonly strategy?: BackoffStrategy;
  /** The delay before the first retry. @defaultValue '1s' */
  readonly delay?: Duration;
  /** What the delay is multiplied with for each further retry: 1 or more. @defaultValue 2 */
  readonly factor?: number;
  /** No delay is longer than this. A call whose server asks for more is not retried. @defaultValue '60s' */
  readonly maxDelay?: Duration;
  /** The share of a delay by which chance makes it shorter or longer: 0 to 1. @defaultValue 0.1 */
  readonly jitter?: number;
  /** Any backoff of cockatiel's, in place of `strategy`, `delay`, `factor`, `maxDelay` and `jitter`. */
  readonly backoff?: IBackoffFactory<IRetryBackoffContext<unknown>>;
  /**
   * Waits at least as long as the server asked for with `Retry-After`. A call is not retried if that is more than `maxDelay`, or more than the call
   * has left: `suppressed` of `outcome()` then has `retryAfterMs`. @defaultValue true
   */
  readonly retryAfter?: boolean;
  /** Bounds the retries of all calls together; `{}` for its defaults. @defaultValue no bound */
  readonly budget?: RetryBudgetOptions;
  /** Retries even inside a call of another guard that retries itself. @defaultValue false */
  readonly nested?: boolean;
  /** Which errors are worth another try. @defaultValue all of them; rejections of guards and aborts of callers never are */
  readonly retryIf?: (error: unknown) => boolean;
}

/** The numbers that apply where an option is left out: those of the systems whose behaviour Keelson takes over. */
export const retryDefaults = {
  retries: 3,
  strategy: 'exponential',
  delay: '1s',
  delayMs: 1_000,
  factor: 2,
  maxDelay: '60s',
  maxDelayMs: 60_000,
  jitter: 0.1,
  retryAfter: true,
  nested: false,
} as const;

/** The numbers that apply where an option of the budget is left out. */
export const budgetDefaults = { ratio: 0.2, floor: 10 } as const;

/** {@link RetryOptions} with every default filled in. */
export interface ResolvedRetry {
  readonly retries: number;
  readonly delayMs: number;
  readonly factor: number;
  readonly maxDelayMs: number;
  readonly jitter: number;
  readonly strategy: BackoffStrategy;
  readonly retryAfter: boolean;
  readonly nested: boolean;
  readonly budget: ResolvedBudget | undefined;
  readonly backoff: IBackoffFactory<IRetryBackoffContext<unknown>> | undefined;
  readonly retryIf: ((error: unknown) => boolean) | undefined;
}

/** What a backoff of cockatiel's takes the place of. */
export const BACKOFF_KEYS = ['strategy', 'delay', 'factor', 'maxDelay', 'jitter'] as const;
const KEYS = ['retries', ...BACKOFF_KEYS, 'retryAfter', 'budget', 'nested', 'backoff', 'retryIf'] as const;

/** Checks the options and fills in the defaults. */
export function resolveRetry(options: RetryOptions, check: OptionChecker): ResolvedRetry {
  check.keys(options, KEYS);
  const { retries, delay, factor, maxDelay, jitter, backoff, retryIf, budget } = options;
  const { strategy, retryAfter, nested } = options;
  check.filter('retryIf', retryIf, 'Give a function that takes the error and says whether to try again.');
  if (backoff !== undefined) {
    if (typeof backoff.next !== 'function') {
      check.problem(
        'backoff',
        'to be a backoff of cockatiel',
        backoff,
        'Use one such as `new ExponentialBackoff()`.',
      );
    }
    for (const key of BACKOFF_KEYS) {
      if (options[key] === undefined) continue;
      check.problem(
        key,
        'to be left out beside `backoff`',
        options[key],
        'The backoff alone decides about the delays.',
      );
    }
  }
  if (strategy !== undefined && !BACKOFF_STRATEGIES.includes(strategy)) {
    check.problem(
      'strategy',
      `to be one of ${BACKOFF_STRATEGIES.join(', ')}`,
      strategy,
      "The default is 'exponential'.",
    );
  }
  return {
    strategy: strategy ?? retryDefaults.strategy,
    retryAfter: check.boolean('retryAfter', retryAfter, retryDefaults.retryAfter),
    nested: check.boolean('nested', nested, retryDefaults.nested),
    budget: budget === undefined ? undefined : resolveBudget(budget, check.under('budget')),
    retries: check.number('retries', retries, { min: 0, max: 100, integer: true }, retryDefaults.retries),
    delayMs: check.duration('delay', delay, 0, retryDefaults.delayMs),
    factor: check.number('factor', factor, { min: 1 }, retryDefaults.factor),
    maxDelayMs: check.duration('maxDelay', maxDelay, 0, retryDefaults.maxDelayMs),
    jitter: check.number('jitter', jitter, { min: 0, max: 1 }, retryDefaults.jitter),
    backoff,
    retryIf,
  };
}

function resolveBudget(options: RetryBudgetOptions, check: OptionChecker): ResolvedBudget {
  check.keys(options, ['ratio', 'floor']);
  return {
    ratio: check.number('ratio', options.ratio, { min: 0, max: 1 }, budgetDefaults.ratio),
    floor: check.number('floor', options.floor, { min: 0 }, budgetDefaults.floor),
  };
}
