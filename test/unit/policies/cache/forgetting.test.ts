import { describe, expect, test } from 'vitest';
import { OptionChecker } from '../../../../src/core/options.ts';
import type { CacheTier, TierEntry } from '../../../../src/policies/cache/index.ts';
import { Cache } from '../../../../src/policies/cache/index.ts';
import { resolveCache } from '../../../../src/policies/cache/options.ts';
import { FakeClock, settlePromises } from '../../../../src/testing/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { buildCache, shown, source } from './build-cache.ts';

describe('clearing a cache', () => {
  test('keeps no value of a load that is running, and lets the next caller load anew', async () => {
    const { cache } = buildCache();
    const gate = deferred<string>();
    const first = cache.through('a', () => gate.promise);
    cache.clear();
    const second = cache.through('a', async () => 'new');
    expect(shown(await second)).toBe('miss new 0');
    gate.resolve('old');
    expect(shown(await first)).toBe('miss old 0');
    expect(shown(await cache.through('a', source()))).toBe('hit new 0');
  });
});

describe('a failure that a caller waits for', () => {
  test('is none of a refresh in the background', async () => {
    const { cache, clock } = buildCache({ staleWhileRevalidate: 1_000 });
    const load = source();
    load.error = new Error('down');
    await expect(cache.through('a', load)).rejects.toThrow('down');
    expect([cache.refreshes, cache.refreshFailures]).toEqual([0, 0]);
    load.error = undefined;
    await cache.through('a', load);
    await clock.advance(1_000);
    load.error = new Error('down');
    expect(shown(await cache.through('a', load))).toBe('stale v2 1000');
    await settlePromises();
    expect([cache.refreshes, cache.refreshFailures]).toEqual([1, 1]);
  });
});

describe('the second tier', () => {
  /** A tier that gives what a test puts in, and counts how often it is asked. */
  function tierWith(entry: () => TierEntry | undefined): CacheTier & { asked: number } {
    const tier = {
      asked: 0,
      get: async (): Promise<TierEntry | undefined> => {
        tier.asked += 1;
        return entry();
      },
      set: async (): Promise<void> => {},
      delete: async (): Promise<void> => {},
    };
    return tier;
  }

  /** What a cache of the same options writes into a tier. */
  async function written(ageMs: number): Promise<() => TierEntry> {
    let text = '';
    let keptMs = 0;
    const tier = tierWith(() => undefined);
    tier.set = async (_key, value, keepMs): Promise<void> => {
      text = value;
      keptMs = keepMs;
    };
    const { cache } = buildCache({ secondTier: tier, staleWhileRevalidate: 5_000 });
    await cache.through('a', async () => 'shared');
    await settlePromises();
    return () => ({ text, remainingMs: keptMs - ageMs });
  }

  test('is asked no more by the refresh of a stale value that it gave', async () => {
    const tier = tierWith(await written(1_500));
    const { cache } = buildCache({ secondTier: tier, staleWhileRevalidate: 5_000 });
    const load = source();
    expect(shown(await cache.through('a', load))).toBe('stale shared 1500');
    await settlePromises();
    expect([tier.asked, load.loads]).toEqual([1, 1]);
    expect(shown(await cache.through('a', load))).toBe('hit v1 0');
  });

  test('does not replace a value of our own by one that is older', async () => {
    const older = await written(4_000);
    let shared: TierEntry | undefined;
    const tier = tierWith(() => shared);
    const { cache, clock } = buildCache({ secondTier: tier, staleWhileRevalidate: 5_000 });
    const load = source();
    await cache.through('a', load);
    shared = older();
    await clock.advance(1_000);
    load.error = new Error('down');
    expect(shown(await cache.through('a', load))).toBe('stale v1 1000');
    await settlePromises();
    expect(tier.asked).toBe(2);
    expect(shown(await cache.through('a', load))).toBe('stale v1 1000');
  });

  test('has the time that an update gives it', async () => {
    const tier: CacheTier = {
      get: () => new Promise(() => {}),
      set: async () => {},
      delete: async () => {},
    };
    const { cache, clock } = buildCache({ secondTier: tier, secondTierTimeout: 100 });
    const check = new OptionChecker('cache');
    cache.update(resolveCache({ ttl: 1_000, jitter: 0, secondTier: tier, secondTierTimeout: 20 }, check));
    const load = source();
    const run = cache.through('a', load);
    await clock.advance(20);
    expect(load.loads).toBe(1);
    expect(shown(await run)).toBe('miss v1 0');
  });

  test('may fail where nobody is told of it', async () => {
    const fails = (): Promise<never> => Promise.reject(new Error('tier down'));
    const options = resolveCache(
      { ttl: 1_000, secondTier: { get: fails, set: fails, delete: fails } },
      new OptionChecker('cache'),
    );
    const cache = new Cache(options, new FakeClock(), () => 0.5);
    expect(shown(await cache.through('a', source()))).toBe('miss v1 0');
    expect(cache.tierFailures).toBe(1);
  });
});
