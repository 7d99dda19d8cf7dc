import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RejectedError } from '../../src/core/errors.ts';
import { OptionChecker } from '../../src/core/options.ts';
import { systemClock } from '../../src/core/time/clock.ts';
import type { LimiterStore } from '../../src/policies/rate-limit/index.ts';
import { postgresStore, redisStore } from '../../src/policies/rate-limit/index.ts';
import { limiterFor } from '../../src/policies/rate-limit/limiter-for.ts';
import { resolveRateLimit } from '../../src/policies/rate-limit/options.ts';
import { SharedRateLimiter } from '../../src/policies/rate-limit/shared-rate-limiter.ts';
import { limiterStoreContract } from '../../src/testing/index.ts';
import { hammer } from '../support/hammer.ts';
import { checkWindowArrivals } from '../support/window-arrivals.ts';
import { pathOf } from './programs.ts';
import type { TestServer } from './servers.ts';
import { startPostgres, startRedis } from './servers.ts';

interface Kind {
  readonly name: string;
  readonly kind: 'redis' | 'postgres';
  readonly start: () => Promise<TestServer>;
  readonly open: (url: string) => LimiterStore;
  /** Writes a window of `k` with two grants at this time, as a clock that was then set back has left it. */
  readonly plant: (url: string, at: number) => Promise<void>;
  /** Removes what earlier tests have left. */
  readonly empty: (url: string) => Promise<void>;
}

const KINDS: readonly Kind[] = [
  {
    name: 'the Redis store',
    kind: 'redis',
    start: startRedis,
    open: (url) => redisStore({ url }),
    async plant(url, at) {
      const client = new Redis(url);
      await client.rpush('limiter:k:window', at, at);
      client.disconnect();
    },
    async empty(url) {
      const client = new Redis(url);
      await client.flushall();
      client.disconnect();
    },
  },
  {
    name: 'the PostgreSQL store',
    kind: 'postgres',
    start: startPostgres,
    open: (connectionString) => postgresStore({ connectionString }),
    async plant(url, at) {
      const client = new Client(url);
      await client.connect();
      const values = ['k', [at, at], at + 100_000];
      await client.query(
        'INSERT INTO keelson_limiter_window (key, starts, until) VALUES ($1, $2, $3)',
        values,
      );
      await client.end();
    },
    async empty(url) {
      const client = new Client(url);
      await client.connect();
      await client.query(
        'DROP TABLE IF EXISTS keelson_limiter; DROP TABLE IF EXISTS keelson_limiter_window; DROP TABLE IF EXISTS keelson_schema',
      );
      await client.end();
    },
  },
];

const RATE = { limit: 10, perMs: 3_600_000, burst: 10 };

/** Asks until the store answers: a server that has just started gives no other sign. */
async function untilAnswered(store: LimiterStore): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      await store.take('probe', RATE);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(50);
    }
  }
}

describe.each(KINDS)('$name', ({ kind, start, open, plant, empty }) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await start();
    const store = open(server.url);
    await untilAnswered(store);
    await store.close();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());
  beforeEach(() => empty(server.url));

  limiterStoreContract(test, async () => ({
    store: open(server.url),
    other: open(server.url),
    now: () => performance.now(),
    pass: (ms) => delay(Math.ceil(ms) + 1),
  }));

  test('grants no more than the limit of a window in any period of 50 ms, wherever calls arrive', async () => {
    const stores = [open(server.url), open(server.url)];
    await expect(
      checkWindowArrivals({ stores, pass: (ms) => delay(ms), numRuns: 20 }),
    ).resolves.toBeUndefined();
    for (const store of stores) await store.close();
  });

  test('moves the log of a window back with a clock that was set back by an hour: no lock-out, and one call more at most', async () => {
    const store = open(server.url);
    const window = { limit: 2, perMs: 200 };
    await untilAnswered(store);
    await plant(server.url, (Date.now() + 3_600_000 - Date.UTC(2026, 0, 1)) * 1_000);
    const asked = await Promise.all([1, 2, 3, 4].map(async () => store.takeFromWindow?.('k', window)));
    expect(asked.filter((taken) => taken?.granted).length).toBeLessThanOrEqual(1);
    const { retryAfterMs = Number.NaN } = asked.at(-1) ?? {};
    expect(retryAfterMs).toBeLessThanOrEqual(200);
    await delay(Math.ceil(retryAfterMs) + 5);
    expect(await store.takeFromWindow?.('k', window)).toMatchObject({ granted: true });
    await store.close();
  });

  test('keeps one window for two processes that hammer one key', async () => {
    const { granted, allowed, most } = await hammer(kind, server.url, 1_000, 'window');
    expect(most).toBeLessThanOrEqual(10);
    expect(granted).toBeGreaterThan(allowed * 0.5);
  });

  test('keeps one limit for two processes that hammer one key', async () => {
    const { granted, allowed } = await hammer(kind, server.url, 1_000);
    expect(granted).toBeLessThanOrEqual(allowed);
    expect(granted).toBeGreaterThan(allowed * 0.5);
  });

  test('fails at once when its server is killed, harms no call, and goes on when it is back', async () => {
    const store = open(server.url);
    const options = resolveRateLimit({ limit: 10, per: '1h', store }, new OptionChecker('rateLimit'));
    const limiter = limiterFor(options, systemClock, { key: 'crash' });
    const call = async (): Promise<string> => {
      const entry = limiter.enter(systemClock.now());
      if (entry instanceof RejectedError) return entry.code;
      const end = entry?.granted.then(
        () => 'ran',
        (error: RejectedError) => error.code,
      );
      return end ?? 'ran';
    };
    const counters = () => (limiter instanceof SharedRateLimiter ? limiter.counters : undefined);
    await untilAnswered(store);
    for (let i = 0; i < 10; i += 1) expect(await call()).toBe('ran');
    expect(await call()).toBe('ERR_KEELSON_RATE_LIMITED');
    const inTheMiddle = Array.from({ length: 50 }, () => call());
    await server.crash();
    expect(new Set(await Promise.all(inTheMiddle))).not.toContain('ERR_KEELSON_RATE_LIMIT_STORE');
    const startedAt = performance.now();
    expect(await Promise.all(Array.from({ length: 50 }, () => call()))).toEqual(Array(50).fill('ran'));
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(counters()?.unlimited).toBeGreaterThanOrEqual(50);
    await server.restart();
    await untilAnswered(store);
    const rate = { ...RATE, burst: 3 };
    const after = await Promise.all(Array.from({ length: 20 }, () => store.take('after', rate)));
    expect(after.filter(({ granted }) => granted)).toHaveLength(3);
    await store.close();
  });

  test('says at every question that there is no server', async () => {
    const nowhere = open(server.url.replace(/:\d+/, ':1'));
    await expect(nowhere.take('k', RATE)).rejects.toThrow('ECONNREFUSED');
    await expect(nowhere.take('k', RATE)).rejects.toThrow('ECONNREFUSED');
    await nowhere.close();
  });
});

test('a program that is missing says what to install', () => {
  expect(() => pathOf('redis-server', [])).toThrow(
    'redis-server is missing. Install it: apt-get install redis-server',
  );
  expect(() => pathOf('initdb', [])).toThrow('initdb is missing. Install it: apt-get install postgresql');
});
