import { describe, expect, test } from 'vitest';
import type { CacheTier, TierEntry } from '../../../../src/policies/cache/index.ts';
import type { FakeClock } from '../../../../src/testing/index.ts';
import { settlePromises } from '../../../../src/testing/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { buildCache, shown, source } from './build-cache.ts';

/** A tier that several caches share, on the clock that a test gives it; it fails or hangs as it is told. */
class SharedTier implements CacheTier {
  mode: 'up' | 'down' | 'hanging' = 'up';
  /** Holds back the answers until it resolves. */
  gate: Promise<void> | undefined = undefined;
  operations = 0;
  readonly #kept = new Map<string, { text: string; untilMs: number }>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get(key: string): Promise<TierEntry | undefined> {
    return this.#answer(() => {
      const kept = this.#kept.get(key);
      const remainingMs = kept ? kept.untilMs - this.#now() : 0;
      return kept && remainingMs > 0 ? { text: kept.text, remainingMs } : undefined;
    });
  }

  set(key: string, text: string, keepMs: number): Promise<void> {
    return this.#answer(() => void this.#kept.set(key, { text, untilMs: this.#now() + keepMs }));
  }

  delete(key: string): Promise<void> {
    return this.#answer(() => void this.#kept.delete(key));
  }

  #answer<T>(work: () => T): Promise<T> {
    this.operations += 1;
    if (this.mode === 'hanging') return new Promise(() => {});
    if (this.mode === 'down') return Promise.reject(new Error('tier down'));
    return this.gate ? this.gate.then(work) : Promise.resolve(work());
  }
}

/** Two caches, as of two processes, over one tier; both clocks and that of the tier go on together. */
function twoCaches(options: Parameters<typeof buildCache>[0] = {}): {
  one: ReturnType<typeof buildCache>;
  other: ReturnType<typeof buildCache>;
  tier: SharedTier;
  advance: (ms: number) => Promise<void>;
} {
  let clock: FakeClock | undefined = undefined;
  const tier = new SharedTier(() => clock?.now() ?? 0);
  const one = buildCache({ secondTier: tier, ...options });
  const other = buildCache({ secondTier: tier, ...options });
  clock = one.clock;
  const advance = async (ms: number): Promise<void> => {
    await one.clock.advance(ms);
    await other.clock.advance(ms);
  };
  return { one, other, tier, advance };
}

describe('a value that another process has loaded', () => {
  test('is taken from the second tier, with its age', async () => {
    const { one, other, advance } = twoCaches();
    const load = source();
    await one.cache.through('a', load);
    await settlePromises();
    expect(one.clock.timers.refed).toBe(0);
    await advance(400);
    expect(await other.cache.through('a', load)).toMatchObject({
      result: 'hit',
      origin: 'cache',
      ageMs: 400,
    });
    expect(load.loads).toBe(1);
    await advance(599);
    expect(shown(await other.cache.through('a', load))).toBe('hit v1 999');
    await advance(1);
    expect(shown(await other.cache.through('a', load))).toBe('miss v2 0');
  });

  test('does not depend on the wall clocks of the two', async () => {
    const { one, other, advance } = twoCaches();
    other.clock.shiftEpoch(-3_600_000);
    const load = source();
    await one.cache.through('a', load);
    await advance(400);
    expect(shown(await other.cache.through('a', load))).toBe('hit v1 400');
  });

  test('is served stale while this process refreshes it', async () => {
    const { one, other, advance } = twoCaches({ staleWhileRevalidate: 500 });
    const load = source();
    await one.cache.through('a', load);
    await advance(1_100);
    const both = await Promise.all([other.cache.through('a', load), other.cache.through('a', load)]);
    expect(both.map(shown)).toEqual(['stale v1 1100', 'coalesced v1 1100']);
    expect(both.map(({ origin }) => origin)).toEqual(['stale', 'stale']);
    await settlePromises();
    expect(load.loads).toBe(2);
    expect(shown(await other.cache.through('a', load))).toBe('hit v2 0');
    expect(shown(await one.cache.through('a', load))).toBe('stale v1 1100');
    await settlePromises();
    expect(load.loads).toBe(2);
    expect(shown(await one.cache.through('a', load))).toBe('hit v2 0');
  });

  test('stands in where loading fails', async () => {
    const { one, other, advance } = twoCaches({ staleIfError: 500 });
    const load = source();
    await one.cache.through('a', load);
    await advance(1_100);
    load.error = new Error('down');
    expect(shown(await other.cache.through('a', load))).toBe('stale_error v1 1100');
  });

  test('is served stale to those who joined a refresh that then failed', async () => {
    const { one, other, tier, advance } = twoCaches({ staleWhileRevalidate: 500 });
    await other.cache.through('a', () => 'old');
    await advance(500);
    await one.cache.delete('a');
    await one.cache.through('a', () => 'newer');
    await advance(980);
    const gate = deferred<void>();
    tier.gate = gate.promise;
    const load = source();
    load.error = new Error('down');
    expect(shown(await other.cache.through('a', load))).toBe('stale old 1480');
    await advance(20);
    const joined = other.cache.through('a', load);
    await advance(10);
    gate.resolve();
    const result = await joined;
    expect(shown(result)).toBe('coalesced newer 1010');
    expect(result).toMatchObject({ origin: 'stale', error: load.error });
    expect([load.loads, other.cache.refreshes, other.cache.refreshFailures]).toEqual([1, 1, 1]);
  });

  test('is of no use to a cache whose own windows are over', async () => {
    const { one, tier, advance } = twoCaches({ staleWhileRevalidate: 500 });
    const narrow = buildCache({ secondTier: tier });
    await one.cache.through('a', () => 'v');
    await advance(1_100);
    await narrow.clock.advance(1_100);
    expect(shown(await narrow.cache.through('a', source()))).toBe('miss v1 0');
  });

  test('may be undefined', async () => {
    const { one, other } = twoCaches();
    await one.cache.through('a', () => undefined);
    expect(await other.cache.through('a', source())).toMatchObject({ result: 'hit', value: undefined });
  });

  test('is gone for both when it is deleted', async () => {
    const { one, other } = twoCaches();
    const load = source();
    await one.cache.through('a', load);
    await one.cache.delete('a');
    expect(shown(await other.cache.through('a', load))).toBe('miss v2 0');
  });

  test('is not used by a load whose key was deleted meanwhile', async () => {
    const { one, other } = twoCaches();
    await one.cache.through('a', () => 'old');
    const waiting = other.cache.through('a', () => 'new');
    await other.cache.delete('a');
    expect(shown(await waiting)).toBe('miss new 0');
  });
});

describe('a second tier that is in trouble', () => {
  test('that is down fails no call, is counted and told, and left alone for a second', async () => {
    const { one, tier, advance } = twoCaches({ ttl: 100 });
    const load = source();
    tier.mode = 'down';
    expect(shown(await one.cache.through('a', load))).toBe('miss v1 0');
    expect([tier.operations, one.cache.tierFailures]).toEqual([1, 1]);
    expect(one.tierErrors).toEqual([new Error('tier down')]);
    await advance(999);
    expect(shown(await one.cache.through('a', load))).toBe('miss v2 0');
    expect(tier.operations).toBe(1);
    tier.mode = 'up';
    await advance(101);
    await one.cache.through('a', load);
    expect(tier.operations).toBe(3);
  });

  test('that hangs costs its timeout, once in a second', async () => {
    const { one, tier } = twoCaches({ secondTierTimeout: 50 });
    tier.mode = 'hanging';
    const load = source();
    const first = one.cache.through('a', load);
    await one.clock.advance(49);
    expect(load.loads).toBe(0);
    await one.clock.advance(1);
    expect(shown(await first)).toBe('miss v1 0');
    expect(shown(await one.cache.through('b', load))).toBe('miss v2 0');
    expect([tier.operations, one.cache.tierFailures]).toEqual([1, 1]);
    expect(one.tierErrors).toMatchObject([{ code: 'ERR_KEELSON_TIMEOUT', scope: 'attempt', timeoutMs: 50 }]);
    expect(one.clock.timers.refed).toBe(0);
    await one.clock.advance(1_000);
    void one.cache.through('c', load);
    expect(tier.operations).toBe(2);
  });

  test('that hangs while everybody leaves calls no load', async () => {
    const { one, tier } = twoCaches();
    tier.mode = 'hanging';
    const load = source();
    const controller = new AbortController();
    const only = one.cache.through('a', load, { signal: controller.signal });
    controller.abort('left');
    await expect(only).rejects.toBe('left');
    await one.clock.advance(1_000);
    expect([load.loads, one.cache.loading]).toEqual([0, 0]);
  });

  test('that throws at once fails no call', async () => {
    const fails = (): never => {
      throw new Error('thrown at once');
    };
    const { cache } = buildCache({ secondTier: { get: fails, set: fails, delete: fails } });
    expect(shown(await cache.through('a', source()))).toBe('miss v1 0');
    await cache.delete('a');
    expect(cache.tierFailures).toBe(2);
  });

  test.each([
    'no json',
    'null',
    '7',
    '{"v":2,"freshMs":1,"keepMs":1}',
    '{"v":1,"freshMs":1}',
    '{"v":1,"keepMs":1}',
    '{"v":1,"freshMs":"1","keepMs":1}',
    '{"v":1,"freshMs":1e999,"keepMs":1}',
  ])('that holds %s is counted and goes on', async (text) => {
    const { one, tier } = twoCaches();
    await tier.set('a', text, 1_000);
    expect(shown(await one.cache.through('a', source()))).toBe('miss v1 0');
    expect(one.cache.tierFailures).toBe(1);
    expect(one.tierErrors).toMatchObject([
      text === 'no json'
        ? { name: 'SyntaxError' }
        : { message: 'The second tier holds something that this cache did not write.' },
    ]);
    await one.cache.through('b', source());
    expect(tier.operations).toBe(5);
  });

  test('that cannot hold the value is counted, and the value is kept here', async () => {
    const { one, other } = twoCaches();
    expect(await one.cache.through('a', () => 10n)).toMatchObject({ result: 'miss', value: 10n });
    await settlePromises();
    expect(one.cache.tierFailures).toBe(1);
    expect(await one.cache.through('a', source())).toMatchObject({ result: 'hit', value: 10n });
    expect(shown(await other.cache.through('a', source()))).toBe('miss v1 0');
  });

  test('whose listener throws fails no call', async () => {
    const { one, tier } = twoCaches();
    tier.mode = 'down';
    one.tierErrors.push = () => {
      throw new Error('a listener that throws');
    };
    expect(shown(await one.cache.through('a', source()))).toBe('miss v1 0');
  });
});

test('a value that can be used for a millisecond is written', async () => {
  const { one, tier } = twoCaches({ ttl: 1 });
  await one.cache.through('a', source());
  await settlePromises();
  expect(tier.operations).toBe(2);
});

test('a value that nobody could use later is not written: ttl 0 without windows', async () => {
  const { one, tier } = twoCaches({ ttl: 0 });
  await one.cache.through('a', source());
  await settlePromises();
  expect(tier.operations).toBe(1);
});
