import type { IBackoffFactory, IRetryBackoffContext } from 'cockatiel';
import type { Duration } from '../../core/duration.ts';
import type { OptionChecker } from '../../core/options.ts';

/** When to try again, and after which delay. */
export interface RetryOptions {
  /** Executions after the first one: `retries: 3` means at most 4. A whole number from 0 to 100. @defaultValue 3 */
  readonly retries?: number;
  /** The delay before the first retry. @defaultValue '1s' */
  readonly delay?: Duration;
  /** What the delay is multiplied with for each further retry: 1 or more. @defaultValue 2 */
  readonly factor?: number;
  /** No delay is longer than this. @defaultValue '60s' */
  readonly maxDelay?: Duration;
  /** The share of a delay by which chance makes it shorter or longer: 0 to 1. @defaultValue 0.1 */
  readonly jitter?: number;
  /** Any backoff of cockatiel's, in place of `delay`, `factor`, `maxDelay` and `jitter`. */
  readonly backoff?: IBackoffFactory<IRetryBackoffContext<unknown>>;
  /** Which errors are worth another try. @defaultValue all of them; rejections of guards and aborts of callers never are */
  readonly retryIf?: (error: unknown) => boolean;
}

/** The numbers that apply where an option is left out: those of the systems whose behaviour Keelson takes over. */
export const retryDefaults = {
  retries: 3,
  delay: '1s',
  delayMs: 1_000,
  factor: 2,
  maxDelay: '60s',
  maxDelayMs: 60_000,
  jitter: 0.1,
} as const;

/** {@link RetryOptions} with every default filled in. */
export interface ResolvedRetry {
  readonly retries: number;
  readonly delayMs: number;
  readonly factor: number;
  readonly maxDelayMs: number;
  readonly jitter: number;
  readonly backoff: IBackoffFactory<IRetryBackoffContext<unknown>> | undefined;
  readonly retryIf: ((error: unknown) => boolean) | undefined;
}

const BACKOFF_KEYS = ['delay', 'factor', 'maxDelay', 'jitter'] as const;

/** Checks the options and fills in the defaults. */
export function resolveRetry(options: RetryOptions, check: OptionChecker): ResolvedRetry {
  check.keys(options, ['retries', ...BACKOFF_KEYS, 'backoff', 'retryIf']);
  const { retries, delay, factor, maxDelay, jitter, backoff, retryIf } = options;
  check.function('retryIf', retryIf, 'Give a function that takes the error and says whether to try again.');
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
  return {
    retries: check.number('retries', retries, { min: 0, max: 100, integer: true }, retryDefaults.retries),
    delayMs: check.duration('delay', delay, 0, retryDefaults.delayMs),
    factor: check.number('factor', factor, { min: 1 }, retryDefaults.factor),
    maxDelayMs: check.duration('maxDelay', maxDelay, 0, retryDefaults.maxDelayMs),
    jitter: check.number('jitter', jitter, { min: 0, max: 1 }, retryDefaults.jitter),
    backoff,
    retryIf,
  };
}
