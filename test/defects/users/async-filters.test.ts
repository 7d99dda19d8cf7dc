import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Guard, GuardOptions } from '../../../src/index.ts';
import { breaker, cache, createKeelson, fallback, retry } from '../../../src/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { failing } from '../../support/failing.ts';

const unhandled: unknown[] = [];
const note = (reason: unknown): unknown => unhandled.push(reason);

beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});

afterEach(() => {
  process.off('unhandledRejection', note);
});

/** What plain JavaScript can give where the types want a boolean. */
const promised = (answer: Promise<unknown>): never => answer as never;
const no = (): never => promised(Promise.resolve(false));
const rejected = (): never => promised(Promise.reject(new Error('the filter failed')));

function setUp(options: GuardOptions): { guard: Guard; clock: FakeClock; warnings: string[] } {
  const clock = new FakeClock();
  const warnings: string[] = [];
  const keelson = createKeelson({ clock, warn: (message) => warnings.push(message) });
  return { guard: keelson.guard('api', options), clock, warnings };
}

const asyncFilter = async (): Promise<boolean> => false;
const PLACES: Readonly<Record<string, (filter: () => never) => GuardOptions>> = {
  'retry.retryIf': (retryIf) => ({ retry: { retryIf } }),
  'breaker.failureIf': (failureIf) => ({ breaker: { failureIf } }),
  'breaker.strategy': (strategy) => ({ breaker: { strategy } }),
  failedResult: (failedResult) => ({ failedResult }),
  'fallback.when': (when) => ({ fallback: { value: 1, when } }),
  'cache.negativeIf': (negativeIf) => ({ cache: { ttl: 1, negativeTtl: 1, negativeIf } }),
};

describe('an async function in place of a filter is an error when the guard is made', () => {
  test.each(Object.keys(PLACES))('%s', (name) => {
    const options = PLACES[name]?.(asyncFilter as never) ?? {};
    expect(() => setUp(options)).toThrow(
      `Expected \`${name}\` to be a function that answers at once, got an async or generator function.`,
    );
  });

  test('also for policies of their own', () => {
    const filter = asyncFilter as never;
    for (const make of [
      () => retry({ retryIf: filter }),
      () => breaker({ failureIf: filter }),
      () => fallback({ value: 1, when: filter }),
      () => cache({ ttl: 1, key: filter }),
    ])
      expect(make).toThrow(/to be a function that answers at once/);
  });
});

describe.each([
  ['a promise of false', no],
  ['a promise that rejects', rejected],
])(
  'a filter that gives %s means what one that throws means, is warned of once, and leaves no rejection',
  (_, filter) => {
    async function ending(
      options: GuardOptions,
    ): Promise<{ guard: Guard; warnings: string[]; attempts: number[]; outcomes: string[] }> {
      const { guard, clock, warnings } = setUp(options);
      const attempts: number[] = [];
      const outcomes: string[] = [];
      for (let i = 0; i < 2; i += 1) {
        const call = guard.outcome('get', failing(9), { cacheKey: 'a' });
        await clock.advance(100);
        const ended = await call;
        attempts.push(ended.attempts);
        outcomes.push(ended.outcome);
      }
      await new Promise(setImmediate);
      expect(unhandled).toEqual([]);
      return { guard, warnings, attempts, outcomes };
    }

    const warned = (name: string, consequence: string): unknown =>
      `guard "api": \`${name}\`: It gave a promise, which is neither yes nor no. Make it a function that answers at once. ${consequence}`;

    test('retryIf: nothing is retried', async () => {
      const { warnings, attempts } = await ending({ retry: { retries: 2, delay: 1, retryIf: filter } });
      expect(attempts).toEqual([1, 1]);
      expect(warnings).toEqual([warned('retry.retryIf', 'Until then nothing is retried.')]);
    });

    test('failureIf: every error counts', async () => {
      const { guard, warnings } = await ending({ breaker: { failures: 2, failureIf: filter } });
      expect(guard.breaker?.state).toBe('open');
      expect(warnings).toEqual([warned('breaker.failureIf', 'Until then every error counts.')]);
    });

    test('when: callers get the error', async () => {
      const { warnings, outcomes } = await ending({ fallback: { value: 1, when: filter } });
      expect(outcomes).toEqual(['failure', 'failure']);
      expect(warnings).toEqual([warned('fallback.when', 'Until then callers get the error.')]);
    });

    test('negativeIf: no error is remembered', async () => {
      const { warnings, attempts } = await ending({
        cache: { ttl: 1_000, negativeTtl: 1_000, negativeIf: filter },
      });
      expect(attempts).toEqual([1, 1]);
      expect(warnings).toEqual([warned('cache.negativeIf', 'Until then no error is remembered.')]);
    });

    test('failedResult: the value counts as a failure that is not retried', async () => {
      const { guard, warnings } = setUp({ failedResult: filter, retry: { retries: 2, delay: 0 } });
      expect(await guard.outcome('get', () => 'fine')).toMatchObject({ outcome: 'failure', attempts: 1 });
      await new Promise(setImmediate);
      expect(unhandled).toEqual([]);
      expect(warnings).toEqual([expect.stringContaining('It gave a promise, which is neither yes nor no.')]);
    });

    test('a strategy like those of cockatiel: what it says does not count', async () => {
      const strategy = { state: undefined, success: () => {}, failure: filter };
      const { guard, warnings } = await ending({ breaker: { strategy: () => strategy } });
      expect(guard.breaker?.state).toBe('closed');
      expect(warnings).toEqual([
        expect.stringContaining(
          '`breaker.strategy` threw: ConfigError: `breaker.strategy`: It gave a promise',
        ),
      ]);
    });
  },
);
