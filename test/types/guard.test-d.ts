import { describe, expectTypeOf, test } from 'vitest';
import type { CallOutcome, Duration, GuardOptions, Outcome, RetryOptions } from '../../src/index.ts';
import { createKeelson, guard } from '../../src/index.ts';

interface Receipt {
  readonly id: string;
  readonly cents: number;
}

declare const charge: (signal: AbortSignal) => Promise<Receipt>;

describe('guard', () => {
  const payments = guard('payments');

  test('run gives what the function gives, awaited', () => {
    expectTypeOf(payments.run('charge', ({ signal }) => charge(signal))).toEqualTypeOf<Promise<Receipt>>();
    expectTypeOf(payments.run('count', () => 1)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(payments.run('nothing', async () => {})).toEqualTypeOf<Promise<void>>();
  });

  test('outcome carries the type of the value and the closed set of outcomes', () => {
    expectTypeOf(payments.outcome('charge', ({ signal }) => charge(signal))).toEqualTypeOf<
      Promise<CallOutcome<Receipt>>
    >();
    expectTypeOf<CallOutcome<Receipt>['value']>().toEqualTypeOf<Receipt | undefined>();
    expectTypeOf<Outcome>().toEqualTypeOf<'success' | 'failure' | 'timeout' | 'rejected' | 'cancelled'>();
  });

  test('the function is told its signal, attempt and request id', () => {
    void payments.run('charge', (context) => {
      expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
      expectTypeOf(context.attempt).toEqualTypeOf<number>();
      expectTypeOf(context.requestId).toEqualTypeOf<string>();
    });
  });

  test('a listener can tell the events apart by their type', () => {
    payments.on((event) => {
      if (event.type === 'retry.scheduled') expectTypeOf(event.delayMs).toEqualTypeOf<number>();
      // @ts-expect-error: only some events have a delay
      void event.delayMs;
    });
    expectTypeOf(payments.on(() => {})).toEqualTypeOf<() => void>();
  });
});

describe('a guard with a fallback', () => {
  const fetchPrices = async (): Promise<number[]> => [1];

  test('run gives what the function or the fallback gives', () => {
    const withNull = guard('prices', { fallback: { value: null } });
    expectTypeOf(withNull.run('list', fetchPrices)).toEqualTypeOf<Promise<number[] | null>>();
    expectTypeOf(withNull.for('eu').run('list', fetchPrices)).toEqualTypeOf<Promise<number[] | null>>();
    expectTypeOf(withNull.outcome('list', fetchPrices)).toEqualTypeOf<
      Promise<CallOutcome<number[] | null>>
    >();
    const made = guard('prices', { retry: {}, fallback: { with: async () => 'none' } });
    expectTypeOf(made.run('list', fetchPrices)).toEqualTypeOf<Promise<number[] | string>>();
    expectTypeOf(
      createKeelson()
        .guard('prices', { fallback: { value: 0 } })
        .run('list', fetchPrices),
    ).toEqualTypeOf<Promise<number[] | number>>();
  });

  test('an empty list, or a function that only throws, adds nothing', () => {
    expectTypeOf(guard('prices', { fallback: { value: [] } }).run('list', fetchPrices)).toEqualTypeOf<
      Promise<number[] | never[]>
    >();
    const refuses = (error: unknown): never => {
      throw error;
    };
    expectTypeOf(guard('prices', { fallback: { with: refuses } }).run('list', fetchPrices)).toEqualTypeOf<
      Promise<number[]>
    >();
  });

  test('options that do not tell the type, and guards without a fallback, give what the function gives', () => {
    const options: GuardOptions = { fallback: { value: null } };
    for (const each of [
      guard('a', options),
      guard('b', { fallback: false }),
      guard('c', { preset: 'github' }),
    ])
      expectTypeOf(each.run('list', fetchPrices)).toEqualTypeOf<Promise<number[]>>();
  });
});

describe('options', () => {
  test('refuse keys that they do not know', () => {
    // @ts-expect-error: the policy is called `retry`
    guard('payments', { retries: 3 });
    // @ts-expect-error: the option is called `retries`
    guard('payments', { retry: { times: 3 } });
    // @ts-expect-error: the option is called `concurrent`
    guard('payments', { bulkhead: { concurrency: 3 } });
    // @ts-expect-error: the option is called `openFor`
    guard('payments', { breaker: { halfOpenAfter: '2m' } });
    expectTypeOf<keyof GuardOptions>().toEqualTypeOf<
      | 'fallback'
      | 'cache'
      | 'timeout'
      | 'retry'
      | 'breaker'
      | 'rateLimit'
      | 'bulkhead'
      | 'preset'
      | 'failedResult'
      | 'inherit'
      | 'dispose'
      | 'peer'
      | 'spans'
      | 'keys'
      | 'strict'
    >();
  });

  test('refuse values of the wrong type', () => {
    // @ts-expect-error: a number
    guard('payments', { retry: { retries: '3' } });
    // @ts-expect-error: a duration
    guard('payments', { timeout: { attempt: true } });
    expectTypeOf<GuardOptions['retry']>().toEqualTypeOf<RetryOptions | false | undefined>();
  });

  test('take every policy, and each one by itself', () => {
    expectTypeOf({
      retry: { retries: 3, delay: '1s', factor: 2, maxDelay: '60s', jitter: 0.1 },
      breaker: { failures: 5, successes: 3, openFor: '2m' },
      bulkhead: { concurrent: 10, queue: 20 },
      timeout: { attempt: '10s', total: '30s' },
    } as const).toExtend<GuardOptions>();
    expectTypeOf<{ readonly timeout: { readonly total: '1s' } }>().toExtend<GuardOptions>();
  });
});

describe('durations', () => {
  test('are milliseconds, or a number with a unit', () => {
    expectTypeOf<'2m'>().toExtend<Duration>();
    expectTypeOf<'250ms'>().toExtend<Duration>();
    expectTypeOf<'1.5s'>().toExtend<Duration>();
    expectTypeOf<1_500>().toExtend<Duration>();
  });

  test('have no other unit and are not without one', () => {
    expectTypeOf<'2x'>().not.toExtend<Duration>();
    expectTypeOf<'m'>().not.toExtend<Duration>();
    expectTypeOf<string>().not.toExtend<Duration>();
    // @ts-expect-error: no such unit
    guard('payments', { breaker: { openFor: '2x' } });
  });
});
