import { ConsecutiveBreaker, ConstantBackoff } from 'cockatiel';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Guard, Keelson } from '../../../src/guard/index.ts';
import { createKeelson } from '../../../src/guard/index.ts';
import type { CacheTier } from '../../../src/policies/cache/index.ts';
import type { LimiterStore } from '../../../src/policies/rate-limit/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';
import { failing } from '../../support/failing.ts';

function setUp(): { keelson: Keelson; clock: FakeClock; warnings: string[] } {
  const clock = new FakeClock();
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  return { keelson: createKeelson({ clock, random: () => 0.5, warn }), clock, warnings };
}

/** Evaluates a module: each time its functions are new ones, which write down which evaluation they belong to. */
function evaluate(keelson: Keelson, evaluation: number, asked: number[]): Guard {
  const tell = (): true => {
    asked.push(evaluation);
    return true;
  };
  return keelson.guard('payments', {
    retry: { retries: 1, delay: 0, retryIf: () => tell() },
    breaker: { failures: 3, openFor: '1m', failureIf: () => tell() },
    bulkhead: { concurrent: 2 },
    rateLimit: { limit: 100, per: '1h' },
    cache: { ttl: '1m', jitter: 0, negativeTtl: '1m', negativeIf: () => !tell() },
    fallback: { with: () => `fallback ${evaluation}`, when: () => tell() },
  });
}

const PLACE = /reevaluation\.test\.ts:\d+/g;

describe('a module that is evaluated again', () => {
  test('has the same guard with its state, the newer of every function, and no warning', async () => {
    const { keelson, clock, warnings } = setUp();
    const asked: number[] = [];
    const first = evaluate(keelson, 1, asked);
    const down = first.outcome('charge', failing(9));
    await clock.advance(0);
    expect(await down).toMatchObject({ origin: 'fallback', value: 'fallback 1' });
    await first.run('charge', async () => 'cached', { cacheKey: 'a' });
    expect(asked.length).toBeGreaterThan(3);
    expect(new Set(asked)).toEqual(new Set([1]));

    asked.length = 0;
    const second = evaluate(keelson, 2, asked);
    expect(second).toBe(first);
    expect(second.snapshot()).toMatchObject({
      calls: { success: 2 },
      rateLimit: { available: 97 },
      cache: { entries: 1 },
    });
    const again = second.outcome('charge', failing(9), { cacheKey: 'b' });
    await clock.advance(0);
    expect(await again).toMatchObject({ origin: 'fallback', value: 'fallback 2' });
    const last = second.outcome('charge', failing(9));
    await clock.advance(0);
    expect(await last).toMatchObject({ attempts: 1, suppressed: { reason: 'open' } });
    expect(new Set(asked)).toEqual(new Set([2]));
    expect(second.breaker?.state).toBe('open');
    expect(warnings).toEqual([]);
  });

  test('judges values by the newer rule', async () => {
    const { keelson } = setUp();
    const make = (evaluation: number): Guard => {
      const failed = `failed ${evaluation}`;
      return keelson.guard('payments', { failedResult: (value: unknown) => value === failed });
    };
    const guard = make(1);
    expect(await guard.outcome('charge', async () => 'failed 2')).toMatchObject({ outcome: 'success' });
    expect(make(2)).toBe(guard);
    expect(await guard.outcome('charge', async () => 'failed 2')).toMatchObject({ outcome: 'failure' });
  });

  test('keeps the count of failures in a row, slots in use and the budget of the retries', async () => {
    const { keelson, clock } = setUp();
    const make = (): Guard =>
      keelson.guard('payments', {
        breaker: { failures: 3, failureIf: () => true },
        bulkhead: { concurrent: 1 },
        retry: { retries: 5, delay: 0, budget: { ratio: 0, floor: 1 }, retryIf: () => true },
      });
    const down = make().outcome('charge', failing(9));
    await clock.advance(0);
    expect(await down).toMatchObject({ attempts: 2, suppressed: { reason: 'budget' } });
    const gate = deferred<string>();
    const running = make().run('charge', () => gate.promise);
    expect(await make().outcome('charge', failing(0))).toMatchObject({ error: { reason: 'full' } });
    gate.resolve('done');
    expect(await running).toBe('done');
    const next = make().outcome('charge', failing(9));
    await clock.advance(0);
    expect(await next).toMatchObject({ attempts: 1, suppressed: { reason: 'budget' } });
  });

  test('reaches the guards of keys, those included that were forgotten, and keeps their state', async () => {
    const { keelson } = setUp();
    const asked: number[] = [];
    const make = (evaluation: number): Guard =>
      keelson.guard('payments', {
        keys: { max: 1 },
        breaker: { failures: 2, failureIf: () => asked.push(evaluation) > 0 },
      });
    const forgotten = make(1).for('old');
    const tenant = make(1).for('tenant');
    await tenant.outcome('charge', failing(1));
    expect(make(2).for('tenant')).toBe(tenant);
    await tenant.outcome('charge', failing(1));
    expect(tenant.breaker?.state).toBe('open');
    await forgotten.outcome('charge', failing(1));
    expect(asked).toEqual([1, 2, 2]);
  });

  test('gives the newer store and second tier, also to calls that wait', async () => {
    const { keelson, warnings } = setUp();
    const used: string[] = [];
    const make = (evaluation: number): Guard => {
      const take = async (): ReturnType<LimiterStore['take']> => {
        used.push(`store ${evaluation}`);
        return { granted: true, retryAfterMs: 0, remaining: 1 };
      };
      const get = async (): Promise<undefined> => void used.push(`tier ${evaluation}`);
      return keelson.guard('payments', {
        retry: { backoff: new ConstantBackoff(5) },
        rateLimit: { algorithm: 'bucket', limit: 1, per: '1s', store: { take, close: async () => {} } },
        cache: { ttl: '1m', secondTier: { get, set: async () => {}, delete: async () => {} } },
      });
    };
    const first = make(1);
    await first.run('charge', async () => 1, { cacheKey: 'a' });
    make(2);
    await first.run('charge', async () => 1, { cacheKey: 'b' });
    expect(used).toEqual(['tier 1', 'store 1', 'tier 2', 'store 2']);
    expect(warnings).toEqual([]);
  });

  test('gives the newer second tier also after an update that kept the tier', async () => {
    const { keelson } = setUp();
    const used: number[] = [];
    const tier = (evaluation: number): CacheTier => ({
      get: async () => void used.push(evaluation),
      set: async () => {},
      delete: async () => {},
    });
    const first = tier(1);
    keelson.guard('payments', { cache: { ttl: '1m', secondTier: first } });
    keelson.guard('payments', { cache: { ttl: '2m', secondTier: first } });
    const guard = keelson.guard('payments', { cache: { ttl: '2m', secondTier: tier(2) } });
    await guard.run('charge', async () => 1, { cacheKey: 'a' });
    expect(used).toEqual([2]);
  });

  test('keeps what a breaker of cockatiel has counted, and gives the newer value of a fallback', async () => {
    const { keelson, warnings } = setUp();
    const make = (): Guard =>
      keelson.guard('payments', {
        breaker: { strategy: () => new ConsecutiveBreaker(2), openFor: '1m' },
        fallback: { value: { prices: new Map([['eur', 1]]), since: new Date(0), rule: /a/u, list: [{}] } },
      });
    const guard = make();
    const first = await guard.run('charge', failing(1));
    make();
    const second = await guard.run('charge', failing(1));
    expect(guard.breaker?.state).toBe('open');
    expect(second).toEqual(first);
    expect(second).not.toBe(first);
    expect(warnings).toEqual([]);
  });

  test('that gives an object where a function makes one is refused each time, with the remedy', () => {
    const { keelson } = setUp();
    const strategy = (): never => new ConsecutiveBreaker(5) as never;
    const make = (): Guard => keelson.guard('payments', { breaker: { strategy: strategy() } });
    expect(make).toThrow(/Give a function that makes the strategy/);
    expect(make).toThrow(/Give a function that makes the strategy/);
    expect(keelson.guards()).toEqual([]);
  });

  test('that finds nothing new captures no trace', () => {
    const { keelson } = setUp();
    const asked: number[] = [];
    const guard = evaluate(keelson, 1, asked);
    const capture = vi.spyOn(Error, 'captureStackTrace');
    onTestFinished(() => capture.mockRestore());
    expect(evaluate(keelson, 2, asked)).toBe(guard);
    expect(keelson.guard('payments')).toBe(guard);
    expect(capture).not.toHaveBeenCalled();
    keelson.guard('payments', {});
    expect(capture).toHaveBeenCalled();
  });

  test('does not undo an update that was made while it ran', async () => {
    const { keelson, warnings } = setUp();
    const make = (): Guard =>
      keelson.guard('payments', { bulkhead: { concurrent: 1 }, breaker: { failureIf: () => true } });
    make().update({ bulkhead: { concurrent: 7 } });
    expect(make().snapshot().bulkhead?.limit).toBe(7);
    expect(make().breaker).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  test('hears once of options that do not fit together', () => {
    const { keelson, warnings } = setUp();
    const make = (): Guard => keelson.guard('payments', { retry: { nested: true, retryIf: () => true } });
    expect(make()).toBe(make());
    expect(warnings).toEqual([expect.stringContaining('retry.nested multiplies retries')]);
  });
});

describe('a name that is created again with other options', () => {
  test('changes the guard as update() does, and says once where both are', async () => {
    const { keelson, clock, warnings } = setUp();
    const guard = keelson.guard('payments', { breaker: { failures: 1, openFor: '1m' } });
    await guard.outcome('charge', failing(1));
    expect(keelson.guard('payments', { breaker: { failures: 2, openFor: '1m' } })).toBe(guard);
    expect(guard.breaker?.state).toBe('open');
    await clock.advance(60_000);
    expect(await guard.outcome('charge', failing(0))).toMatchObject({ outcome: 'success' });
    keelson.guard('payments', { breaker: { failures: 3, openFor: '1m' } });
    expect(guard.snapshot().calls).toMatchObject({ success: 1, failure: 1 });
    expect(keelson.guards()).toEqual([guard]);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^guard "payments": It was created at \S+:\d+, and with other options at \S+:\d+\. The newer options are in force; /,
      ),
    ]);
    const places = warnings[0]?.match(PLACE) ?? [];
    expect(new Set(places).size).toBe(2);
  });

  test('keeps what has not changed: slots in use, tokens, and the functions are the newer ones', async () => {
    const { keelson } = setUp();
    const asked: number[] = [];
    const make = (evaluation: number, attempt: '1s' | '2s'): Guard =>
      keelson.guard('payments', {
        bulkhead: { concurrent: 1 },
        breaker: { failures: 2, failureIf: () => asked.push(evaluation) > 0 },
        timeout: { attempt },
      });
    const gate = deferred<string>();
    const guard = make(1, '1s');
    await guard.outcome('charge', failing(1));
    const running = guard.run('charge', () => gate.promise);
    make(2, '2s');
    expect(await guard.outcome('charge', failing(0))).toMatchObject({ error: { reason: 'full' } });
    gate.resolve('done');
    await running;
    await guard.outcome('charge', failing(1));
    await guard.outcome('charge', failing(1));
    expect(guard.breaker?.state).toBe('open');
    expect(asked).toEqual([1, 2, 2]);
  });

  test.each([
    ['the first', { strict: true }, {}],
    ['the second', {}, { strict: true }],
  ])('is an error where %s is strict, and changes nothing', (_, first, second) => {
    const { keelson, warnings } = setUp();
    const guard = keelson.guard('payments', { bulkhead: { concurrent: 1 }, ...first });
    const again = (): Guard => keelson.guard('payments', { bulkhead: { concurrent: 2 }, ...second });
    expect(again).toThrow(
      expect.objectContaining({
        code: 'ERR_KEELSON_CONFIG',
        name: 'ConfigError',
        message: expect.stringMatching(
          /^guard "payments": It was created at \S+:\d+, and with other options at /,
        ),
      }),
    );
    expect(guard.snapshot().bulkhead?.limit).toBe(1);
    expect(warnings).toEqual([]);
  });

  test('is refused where the options cannot be used, and changes nothing', () => {
    const { keelson } = setUp();
    const guard = keelson.guard('payments', { bulkhead: { concurrent: 1 } });
    expect(() => keelson.guard('payments', { bulkhead: { concurrent: 0 } })).toThrow(/bulkhead\.concurrent/);
    expect(guard.snapshot().bulkhead?.limit).toBe(1);
  });

  test('is the first time that it is created, where it was only looked up before', () => {
    const { keelson, warnings } = setUp();
    const guard = keelson.guard('payments');
    expect(keelson.guard('payments', { bulkhead: { concurrent: 3 }, strict: true })).toBe(guard);
    expect(guard.snapshot().bulkhead?.limit).toBe(3);
    expect(warnings).toEqual([]);
    expect(() => keelson.guard('payments', {})).toThrow(
      /It was created at \S+reevaluation\.test\.ts:\d+, and/,
    );
  });

  test('is warned of where the places are not known', () => {
    const { keelson, warnings } = setUp();
    const captureStackTrace: unknown = Reflect.get(Error, 'captureStackTrace');
    try {
      Reflect.deleteProperty(Error, 'captureStackTrace');
      keelson.guard('payments', { retry: {} });
      keelson.guard('payments', { bulkhead: {} });
    } finally {
      Reflect.set(Error, 'captureStackTrace', captureStackTrace);
    }
    expect(warnings).toEqual([
      expect.stringContaining(
        'It was created at a place that is not known, and with other options at a place',
      ),
    ]);
  });

  test('is created where nobody can be warned', () => {
    const keelson = createKeelson({
      warn: () => {
        throw new Error('nobody');
      },
    });
    const guard = keelson.guard('payments', { retry: {} });
    expect(keelson.guard('payments', { bulkhead: {} })).toBe(guard);
    expect(guard.snapshot().bulkhead).toBeDefined();
  });
});
