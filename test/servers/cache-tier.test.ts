import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OptionChecker } from '../../src/core/options.ts';
import { systemClock } from '../../src/core/time/clock.ts';
import type { RedisTier } from '../../src/policies/cache/index.ts';
import { Cache, redisTier } from '../../src/policies/cache/index.ts';
import { resolveCache } from '../../src/policies/cache/options.ts';
import type { TestServer } from './servers.ts';
import { startRedis } from './servers.ts';

/** Longer than a tier is left alone after a failure. */
const REST_MS = 1_100;

describe('the second tier in Redis', () => {
  let server: TestServer;
  const tiers: RedisTier[] = [];

  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => {
    for (const tier of tiers) await tier.close();
    await server?.[Symbol.asyncDispose]();
  });

  /** A cache as another process would have it, with a connection of its own. */
  function newCache(): { cache: Cache; tier: RedisTier } {
    const tier = redisTier({ url: server.url, prefix: 'test:' });
    tiers.push(tier);
    const options = { ttl: '1m', secondTier: tier, secondTierTimeout: '1s' } as const;
    return {
      cache: new Cache(resolveCache(options, new OptionChecker('cache')), systemClock, Math.random),
      tier,
    };
  }

  async function resultIn(cache: Cache, key: string, value: unknown = `live ${key}`): Promise<unknown> {
    const result = await cache.through(key, () => value);
    return result.result === 'negative' ? result.error : [result.result, result.value];
  }

  test('shares values and forgets them for everybody', async () => {
    const [one, other, third] = [newCache(), newCache(), newCache()];
    await Promise.all([one.tier.connect(), other.tier.connect(), third.tier.connect()]);
    const value = { files: ['a', 'ä', '\u2028'], none: null };
    expect(await resultIn(one.cache, 'list', value)).toEqual(['miss', value]);
    await expect.poll(async () => (await one.tier.get('list'))?.remainingMs).toBeGreaterThan(50_000);
    await delay(50);
    const shared = await other.cache.through('list', () => 'live');
    expect(shared).toMatchObject({ result: 'hit', value, origin: 'cache' });
    expect(shared.ageMs).toBeGreaterThanOrEqual(50);
    expect(shared.ageMs).toBeLessThan(10_000);
    await one.cache.delete('list');
    expect(await resultIn(third.cache, 'list')).toEqual(['miss', 'live list']);
    expect([one.cache, other.cache, third.cache].map(({ tierFailures }) => tierFailures)).toEqual([0, 0, 0]);
  });

  test('harms no call when its server is killed, and is used again when it is back', async () => {
    const [one, other] = [newCache(), newCache()];
    expect(await resultIn(one.cache, 'before')).toEqual(['miss', 'live before']);
    expect(await resultIn(other.cache, 'before')).toEqual(['hit', 'live before']);
    await server.crash();
    const startedAt = performance.now();
    const during = await Promise.all(
      Array.from({ length: 50 }, (_, i) => resultIn(other.cache, `during ${i}`)),
    );
    expect(during.every((result) => Array.isArray(result) && result[0] === 'miss')).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(other.cache.tierFailures).toBeGreaterThan(0);
    await server.restart();
    const isShared = async (): Promise<unknown> => {
      const key = `after ${performance.now()}`;
      await resultIn(one.cache, key);
      await delay(20);
      return resultIn(other.cache, key);
    };
    await delay(REST_MS);
    await expect.poll(isShared, { timeout: 20_000, interval: REST_MS }).toEqual(['hit', expect.any(String)]);
  });
});

test('a tier without a server says so when it connects, and holds no process open once it is closed', async () => {
  const tier = redisTier({ url: 'redis://127.0.0.1:1' });
  await expect(tier.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await tier.close();
});
