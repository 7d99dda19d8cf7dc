import { describe, expect, test } from 'vitest';
import { OptionChecker } from '../../../../src/core/options.ts';
import type { CacheOptions, ResolvedCache } from '../../../../src/policies/cache/index.ts';
import { resolveCache } from '../../../../src/policies/cache/options.ts';
import { settlePromises } from '../../../../src/testing/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { buildCache, shown, source } from './build-cache.ts';

function resolved(options: Partial<CacheOptions>): ResolvedCache {
  return resolveCache({ ttl: 1_000, jitter: 0, ...options }, new OptionChecker('cache'));
}

describe('changing the options of a cache', () => {
  test('keeps values, counts and running loads; new windows hold for what is loaded from now on', async () => {
    const { cache, clock } = buildCache();
    const gate = deferred<string>();
    const load = source();
    await cache.through('a', load);
    const waiting = cache.through('b', () => gate.promise);
    cache.update(resolved({ ttl: 5_000 }));
    gate.resolve('later');
    expect(shown(await waiting)).toBe('miss later 0');
    await clock.advance(1_000);
    expect(shown(await cache.through('a', load))).toBe('miss v2 0');
    await clock.advance(3_999);
    expect(shown(await cache.through('b', load))).toBe('hit later 4999');
    expect(cache.counts).toMatchObject({ miss: 3, hit: 1 });
  });

  test('lets the values go that were not used for the longest time, where there are to be fewer', async () => {
    const { cache, clock } = buildCache({ maxEntries: 3 });
    for (const key of ['a', 'b', 'c']) await cache.through(key, () => key);
    cache.fresh('a', clock.now());
    cache.update(resolved({ maxEntries: 2 }));
    const kept = ['a', 'b', 'c'].filter((key) => cache.fresh(key, clock.now()));
    expect([kept, cache.entries]).toEqual([['a', 'c'], 2]);
    cache.update(resolved({ maxEntries: 3 }));
    await cache.through('d', () => 'd');
    expect(cache.entries).toBe(3);
  });

  test('gives it a second tier, and takes that away again, with its failures counted on', async () => {
    const { cache } = buildCache();
    const fails = (): Promise<never> => Promise.reject(new Error('tier down'));
    cache.update(resolved({ secondTier: { get: fails, set: fails, delete: fails } }));
    await cache.through('a', source());
    expect(cache.tierFailures).toBe(1);
    cache.update(resolved({}));
    await cache.through('b', source());
    expect(cache.tierFailures).toBe(1);
  });
});

test('a load knows whether its caller has been given a value already', async () => {
  const { cache, clock } = buildCache({ staleWhileRevalidate: 500 });
  const seen: boolean[] = [];
  const load = (_signal: AbortSignal, isBackground: boolean): void => {
    seen.push(isBackground);
  };
  await cache.through('a', load);
  await clock.advance(1_000);
  await cache.through('a', load);
  await settlePromises();
  expect(seen).toEqual([false, true]);
});
