import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../../src/testing/index.ts';
import { buildCache, shown, source } from './build-cache.ts';

const HOUR_MS = 3_600_000;

describe('a cache', () => {
  test('loads a value once and serves it until its ttl is over', async () => {
    const { cache, clock } = buildCache();
    const load = source();
    expect(shown(await cache.through('a', load))).toBe('miss v1 0');
    await clock.advance(999);
    expect(shown(await cache.through('a', load))).toBe('hit v1 999');
    await clock.advance(1);
    expect(shown(await cache.through('a', load))).toBe('miss v2 0');
    expect(load.loads).toBe(2);
    expect(cache.counts).toEqual({ hit: 1, miss: 2, stale: 0, stale_error: 0, negative: 0, coalesced: 0 });
  });

  test('says where a value came from', async () => {
    const { cache } = buildCache();
    const load = source();
    expect(await cache.through('a', load)).toEqual({
      result: 'miss',
      value: 'v1',
      origin: 'live',
      ageMs: 0,
      error: undefined,
      leader: undefined,
    });
    expect(await cache.through('a', load)).toMatchObject({ result: 'hit', origin: 'cache' });
  });

  test('keeps keys apart', async () => {
    const { cache } = buildCache();
    await cache.through('a', () => 1);
    await cache.through('b', () => 2);
    expect(await cache.through('a', source())).toMatchObject({ value: 1 });
    expect(await cache.through('b', source())).toMatchObject({ value: 2 });
    expect(cache.entries).toBe(2);
  });

  test.each([undefined, null, 0, '', false, Number.NaN])('keeps the value %s as any other', async (value) => {
    const { cache, clock } = buildCache();
    let loads = 0;
    const load = (): unknown => {
      loads += 1;
      return value;
    };
    await cache.through('a', load);
    expect(await cache.through('a', load)).toMatchObject({ result: 'hit', value });
    expect(cache.fresh('a', clock.now())).toMatchObject({ value });
    expect(loads).toBe(1);
  });

  test('lets the value go that was not used for the longest time', async () => {
    const { cache, clock } = buildCache({ maxEntries: 2 });
    const load = source();
    await cache.through('a', load);
    await cache.through('b', load);
    expect(cache.fresh('a', clock.now())).toMatchObject({ value: 'v1' });
    await cache.through('c', load);
    expect(cache.entries).toBe(2);
    expect(cache.fresh('b', clock.now())).toBeUndefined();
    expect(cache.fresh('a', clock.now())).toMatchObject({ value: 'v1' });
  });

  test('makes the ttl shorter by its jitter, never longer', async () => {
    const random = seededRandom(7);
    const { cache, clock } = buildCache({ jitter: 0.2 }, random);
    for (let key = 0; key < 500; key += 1) await cache.through(`${key}`, () => key);
    const freshAt = (ms: number): number => {
      const keys = Array.from({ length: 500 }, (_, key) => `${key}`);
      return keys.filter((key) => cache.fresh(key, clock.now() + ms) !== undefined).length;
    };
    expect(freshAt(799)).toBe(500);
    expect(freshAt(900)).toBeGreaterThan(200);
    expect(freshAt(900)).toBeLessThan(300);
    expect(freshAt(1_000)).toBe(0);
  });

  test('keeps nothing fresh with a ttl of 0, and still shares one load', async () => {
    const { cache } = buildCache({ ttl: 0 });
    const load = source();
    const both = await Promise.all([cache.through('a', load), cache.through('a', load)]);
    expect(both.map(shown)).toEqual(['miss v1 0', 'coalesced v1 0']);
    expect(shown(await cache.through('a', load))).toBe('miss v2 0');
  });

  test.each([-HOUR_MS, HOUR_MS])('does not mind that the wall clock is set by %d ms', async (shift) => {
    const { cache, clock } = buildCache({ staleIfError: 500 });
    const load = source();
    await cache.through('a', load);
    clock.shiftEpoch(shift);
    await clock.advance(999);
    expect(shown(await cache.through('a', load))).toBe('hit v1 999');
    await clock.advance(1);
    expect(shown(await cache.through('a', load))).toBe('miss v2 0');
  });

  test('never tells a negative age, even on a clock that runs backwards', async () => {
    const { cache, clock } = buildCache();
    const load = source();
    await clock.advance(HOUR_MS);
    await cache.through('a', load);
    clock.block(-HOUR_MS);
    expect(shown(await cache.through('a', load))).toBe('hit v1 0');
  });
});

describe('the fast path of a cache', () => {
  test('gives a fresh value without a promise, and counts it as a hit', async () => {
    const { cache, clock } = buildCache();
    await cache.through('a', source());
    expect(cache.fresh('a', clock.now())).toMatchObject({ value: 'v1', storedAt: 0 });
    expect(cache.counts.hit).toBe(1);
  });

  test('gives and counts nothing for a key that is unknown, stale or negative', async () => {
    const { cache, clock } = buildCache({ negativeTtl: '1m', staleWhileRevalidate: '1m' });
    await cache.through('old', source());
    await expect(cache.through('bad', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const before = { ...cache.counts };
    expect(cache.fresh('unknown', clock.now())).toBeUndefined();
    expect(cache.fresh('bad', clock.now())).toBeUndefined();
    await clock.advance(1_000);
    expect(cache.fresh('old', clock.now())).toBeUndefined();
    expect(cache.counts).toEqual(before);
  });
});

describe('forgetting', () => {
  test('a key makes the next request load it', async () => {
    const { cache } = buildCache();
    const load = source();
    await cache.through('a', load);
    await cache.through('b', load);
    await cache.delete('a');
    expect(shown(await cache.through('a', load))).toBe('miss v3 0');
    expect(shown(await cache.through('b', load))).toBe('hit v2 0');
  });

  test('everything makes every key load again', async () => {
    const { cache } = buildCache();
    const load = source();
    await cache.through('a', load);
    await cache.through('b', load);
    cache.clear();
    expect(cache.entries).toBe(0);
    expect(shown(await cache.through('b', load))).toBe('miss v3 0');
  });
});
