import { expect, test } from 'vitest';
import { OptionChecker } from '../../../../src/core/options.ts';
import type { RetryOptions } from '../../../../src/policies/retry/index.ts';
import { retry } from '../../../../src/policies/retry/index.ts';
import { resolveRetry } from '../../../../src/policies/retry/options.ts';

const backoff = { next: () => ({ duration: 1, next: () => undefined as never }) };

test.each<[string, unknown, string]>([
  ['retryIf', { retryIf: true }, 'Give a function that takes the error and says whether to try again.'],
  [
    'backoff',
    { backoff: {} },
    'to be a backoff of cockatiel, got a value of type object. Use one such as `new ExponentialBackoff()`.',
  ],
  [
    'factor',
    { backoff, factor: 2 },
    'to be left out beside `backoff`, got 2 (number). The backoff alone decides about the delays.',
  ],
  ['jitter', { backoff, jitter: 0 }, 'to be left out beside `backoff`'],
  ['strategy', { backoff, strategy: 'linear' }, 'to be left out beside `backoff`'],
  [
    'strategy',
    { strategy: 'random' },
    "to be one of exponential, linear, constant, fibonacci, decorrelated, got 'random' (string). The default is 'exponential'.",
  ],
  ['retryAfter', { retryAfter: '1s' }, "to be true or false, got '1s' (string)"],
  ['nested', { nested: 1 }, 'to be true or false, got 1'],
  ['retries', { retries: 101 }, 'to be a whole number in [0, 100]'],
  ['delay', { delay: 'soon' }, 'to be a duration and at most 24.8 days'],
  ['factor', { factor: 0.5 }, 'to be a number of at least 1'],
  ['maxDelay', { maxDelay: -1 }, 'to be a duration and at most 24.8 days'],
  ['jitter', { jitter: 2 }, 'to be a number in [0, 1]'],
  ['budget.ratio', { budget: { ratio: 2 } }, 'to be a number in [0, 1], got 2'],
  ['budget.floor', { budget: { floor: -1 } }, 'to be a number of at least 0, got -1'],
])('%s is refused in %j', (key, options, remedy) => {
  expect(() => retry(options as RetryOptions)).toThrow(`Expected \`${key}\``);
  expect(() => retry(options as RetryOptions)).toThrow(remedy);
});

test('an option that does not exist is refused, at both levels', () => {
  const options = { retrys: 1, budget: { rate: 1 } } as RetryOptions;
  expect(() => retry(options)).toThrow(/Unknown option `retrys`\. Did you mean `retries`\?/);
  expect(() => retry(options)).toThrow(/Unknown option `budget\.rate`\. Did you mean `ratio`\?/);
});

test.each(['exponential', 'linear', 'constant', 'fibonacci', 'decorrelated'] as const)(
  '%s is taken',
  (strategy) => {
    const check = new OptionChecker('retry');
    expect(resolveRetry({ strategy, budget: {} }, check)).toMatchObject({
      strategy,
      budget: { ratio: 0.2, floor: 10 },
    });
    check.done();
  },
);
