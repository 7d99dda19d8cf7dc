import { CountBreaker, ExponentialBackoff } from 'cockatiel';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GuardOptions } from '../../../../src/guard/index.ts';
import { createKeelson, guard as defaultGuard } from '../../../../src/guard/index.ts';
import { ConfigError } from '../../../../src/index.ts';

const make = (options: unknown, name: unknown = 'payments'): unknown =>
  createKeelson().guard(name as string, options as GuardOptions);

describe('options that cannot be used', () => {
  test.each([
    [
      { retry: { retries: -1 } },
      'Expected `retry.retries` to be a whole number in [0, 100], got -1 (number). The default is 3.',
    ],
    [{ retry: { retries: 1.5 } }, 'got 1.5 (number)'],
    [{ retry: { retries: Number.NaN } }, 'got NaN (number)'],
    [{ retry: { retries: Number.POSITIVE_INFINITY } }, 'got Infinity (number)'],
    [{ retry: { factor: 0.5 } }, 'Expected `retry.factor` to be a number of at least 1, got 0.5 (number)'],
    [{ retry: { jitter: 50 } }, 'Expected `retry.jitter` to be a number in [0, 1], got 50 (number)'],
    [
      { retry: { delay: '1 fortnight' } },
      "Use milliseconds or a number with its unit, such as '250ms', '1.5s', '2m'.",
    ],
    [
      { peer: ' ledger' },
      "Expected `peer` to be 1 to 120 characters without control characters and without blanks around them, got ' ledger' (string).",
    ],
    [{ peer: 7 }, 'got 7 (number)'],
    [{ retry: { retryIf: true } }, 'Expected `retry.retryIf` to be a function, got true (boolean)'],
    [{ retry: { backoff: {} } }, 'Expected `retry.backoff` to be a backoff of cockatiel'],
    [
      { retry: { backoff: new ExponentialBackoff(), delay: 5 } },
      'Expected `retry.delay` to be left out beside `backoff`',
    ],
    [
      { breaker: { failures: 0 } },
      'Expected `breaker.failures` to be a whole number of at least 1, got 0 (number)',
    ],
    [{ breaker: { openFor: 0 } }, 'Expected `breaker.openFor` to be a duration of at least 1 ms'],
    [{ breaker: { openFor: '60d' } }, 'at most 24.8 days'],
    [
      { breaker: { strategy: () => new CountBreaker({ size: 5, threshold: 0.5 }), failures: 3 } },
      'beside `strategy`',
    ],
    [
      { bulkhead: { concurrent: 0 } },
      'Expected `bulkhead.concurrent` to be a whole number of at least 1, got 0 (number)',
    ],
    [
      { bulkhead: { queue: -1 } },
      'Expected `bulkhead.queue` to be a whole number of at least 0, got -1 (number)',
    ],
    [{ timeout: { attempt: -5 } }, 'Expected `timeout.attempt` to be a duration'],
    [
      { timeout: 5 },
      'Expected `timeout` to be an object, got 5 (number). Write `{}` for its defaults, or `false` to switch it off.',
    ],
    [{ retry: null }, 'Expected `retry` to be an object, got null'],
    [{ peer: 'led\u0007ger' }, 'without control characters'],
    [
      { breaker: { failureRate: 50 } },
      'Expected `breaker.failureRate` to be a number in (0, 1], got 50 (number). Write half of the calls as 0.5.',
    ],
    [
      { rateLimit: { limit: 0, per: '1s' } },
      'Expected `rateLimit.limit` to be a whole number in [1, 1000000], got 0 (number). Say how many calls may start in a period.',
    ],
    [{ retries: 3 }, 'Unknown option `retries`. Did you mean `retry`? Write `retry: { retries: 3 }`.'],
    [
      { idempotent: false },
      'Unknown option `idempotent`. It belongs to the call: `run(operation, fn, { idempotent: false })`.',
    ],
    [{ toString: 1 }, 'Unknown option `toString`. Known: fallback,'],
    [{ retrys: {} }, 'Unknown option `retrys`. Did you mean `retry`?'],
    [{ breaker: { failure: 3 } }, 'Unknown option `breaker.failure`. Did you mean `failures`?'],
    [{ breaker: { zzz: 3 } }, 'Unknown option `breaker.zzz`. Known: failures, failureRate,'],
    [
      { spans: { attempts: 'some' } },
      "Expected `spans.attempts` to be 'retried' or 'all', got 'some' (string)",
    ],
    [7, 'Expected the options to be an object, got 7 (number)'],
  ])('are refused with what was expected, what came and what to do: %j', (options, message) => {
    expect(() => make(options)).toThrow(ConfigError);
    expect(() => make(options)).toThrow(message);
    expect(() => make(options)).toThrow(/^guard "payments": /);
  });

  test('are all told at once', () => {
    expect(() => make({ retry: { retries: -1, jitter: 2 }, bulkhead: { concurrent: 0 }, nope: 1 })).toThrow(
      expect.objectContaining({
        code: 'ERR_KEELSON_CONFIG',
        name: 'ConfigError',
        problems: [
          expect.stringContaining('`nope`'),
          expect.stringContaining('`retry.retries`'),
          expect.stringContaining('`retry.jitter`'),
          expect.stringContaining('`bulkhead.concurrent`'),
        ],
      }),
    );
  });

  test.each(['', ' ', ' payments', 'x'.repeat(121), 7, undefined])('include the name %j', (name) => {
    expect(() => make({}, name ?? null)).toThrow(/Expected the name to be 1 to 120 characters/);
  });
});

describe('the registry', () => {
  test('gives the same guard for the same name and the same options', () => {
    const keelson = createKeelson();
    const retryIf = (): boolean => true;
    const guard = keelson.guard('payments', { retry: { retries: 2, retryIf }, timeout: { total: '1s' } });
    expect(keelson.guard('payments', { timeout: { total: 1_000 }, retry: { retryIf, retries: 2 } })).toBe(
      guard,
    );
    expect(keelson.guard('payments')).toBe(guard);
    expect(keelson.guards()).toEqual([guard]);
  });

  test('keeps instances apart, and the default one under a global symbol', () => {
    expect(createKeelson().guard('payments', {})).not.toBe(createKeelson().guard('payments', {}));
    const guard = defaultGuard('only-here', {});
    const shared = Reflect.get(globalThis, Symbol.for('keelson.default.v1')) as { guards(): unknown[] };
    expect(shared.guards()).toContain(guard);
  });
});

test('a guard takes any breaker strategy and any backoff of cockatiel', async () => {
  const guard = createKeelson().guard('payments', {
    breaker: { strategy: () => new CountBreaker({ size: 4, threshold: 0.4 }), openFor: '1m' },
    retry: { retries: 1, backoff: new ExponentialBackoff({ initialDelay: 0, maxDelay: 0 }) },
  });
  const fails = (): Promise<never> => Promise.reject(new Error('no'));
  await guard.run('charge', async () => 1);
  await guard.run('charge', async () => 1);
  await guard.outcome('charge', fails);
  expect(guard.breaker?.state).toBe('open');
  expect(guard.snapshot().attempts.failure).toBe(2);
});

test('a strategy or a backoff that throws reaches nobody', async () => {
  const explode = (): never => {
    throw new Error('a strategy that throws');
  };
  const guard = createKeelson().guard('payments', {
    breaker: { strategy: () => ({ state: 0, success: explode, failure: explode }) },
    retry: { backoff: { next: explode } },
  });
  await expect(guard.run('charge', async () => 1)).resolves.toBe(1);
  const error = new Error('the real one');
  const outcome = await guard.outcome('charge', () => Promise.reject(error));
  expect(outcome).toMatchObject({
    outcome: 'failure',
    error,
    attempts: 1,
    suppressed: { reason: 'not_retryable' },
  });
});

describe('entry points that are used wrongly', () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      'an instance with an option that is misspelt',
      () => createKeelson({ cloc: 1 } as never),
      /^createKeelson: Unknown option `cloc`\. Did you mean `clock`\?/,
    ],
    [
      'an instance that warns nobody who can hear it',
      () => createKeelson({ warn: 'console' } as never),
      /Expected `warn` to be a function, got 'console' \(string\)/,
    ],
    [
      'a name with control characters',
      () => createKeelson().guard('pay\u001b[31mments', {}),
      /without control characters and without blanks around them, got "pay\\u001b\[31mments"/,
    ],
    [
      'observe without options',
      () => createKeelson().observe({ execute: async () => 1 }, undefined as never),
      /Name the dependency/,
    ],
    [
      'observe of no policy',
      () => createKeelson().observe({} as never, { name: 'x' }),
      /to be a policy of cockatiel/,
    ],
    [
      'a key that is a number',
      () =>
        createKeelson()
          .guard('x', {})
          .for(42 as never),
      /a string of 1 to 200 characters, got a value of type number/,
    ],
  ])('say what is wrong: %s', (_what, use, message) => {
    expect(use).toThrow(ConfigError);
    expect(use).toThrow(message);
  });

  test('refuse a signal that is none', async () => {
    const run = createKeelson()
      .guard('x', {})
      .run('a', async () => 1, { signal: {} as never });
    await expect(run).rejects.toThrow(/Expected `signal` to be an AbortSignal/);
  });

  test('take a signal of null as none, as `fetch` does', async () => {
    const guard = createKeelson().guard('x', { retry: {} });
    await expect(guard.run('a', async () => 1, { signal: null })).resolves.toBe(1);
    await expect(guard.outcome('a', async () => 1, { signal: null })).resolves.toMatchObject({ value: 1 });
    const cached = createKeelson().guard('y', { cache: { ttl: '1m' }, timeout: { total: '1s' } });
    await expect(cached.run('a', async () => 1, { signal: null, cacheKey: 'k' })).resolves.toBe(1);
  });

  test.each([
    [{ cacheKey: 5 }, /Expected `cacheKey` to be a string, got 5 \(number\)/],
    [{ cacheKey: {} }, /Expected `cacheKey` to be a string, got a value of type object/],
    [{ idempotent: 'no' }, /Expected `idempotent` to be true or false, got 'no' \(string\)/],
  ])('refuse the call options %j', async (options, message) => {
    const guard = createKeelson().guard('x', {});
    await expect(guard.run('a', async () => 1, options as never)).rejects.toThrow(message);
    await expect(guard.outcome('a', async () => 1, options as never)).rejects.toThrow(ConfigError);
  });

  test('never throw at once, whatever they are given', async () => {
    const keelson = createKeelson({ warn: () => {} });
    const guards = [
      keelson.guard('short', { breaker: {} }),
      keelson.guard('long', { retry: { retries: 0 }, timeout: { total: '1s' } }),
      keelson.guard('cached', { cache: { ttl: '1m' } }),
    ];
    const anything = fc.anything({ withBigInt: true, withNullPrototype: true });
    const options = fc.oneof(
      anything,
      fc.record({ signal: anything, requestId: anything, idempotent: anything, cacheKey: anything }),
      fc.constant(
        new Proxy(
          {},
          {
            get() {
              throw new Error('not for you');
            },
          },
        ),
      ),
    );
    const fn = fc.oneof(
      anything,
      fc.constant(async () => 1),
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(anything, fc.constant('a')), fn, options, async (operation, work, given) => {
        for (const guard of guards) {
          const run: unknown = guard.run(operation as never, work as never, given as never);
          expect(run).toBeInstanceOf(Promise);
          await (run as Promise<unknown>).catch(() => undefined);
        }
      }),
    );
  });
});
