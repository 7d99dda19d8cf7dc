import { chmodSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LimiterStore, Taken } from '../../src/policies/rate-limit/index.ts';
import { postgresStore, redisStore, sqliteStore } from '../../src/policies/rate-limit/index.ts';
import { FakeClock, limiterStoreContract, settlePromises } from '../../src/testing/index.ts';
import { hammer } from '../support/hammer.ts';
import { checkWindowArrivals } from '../support/window-arrivals.ts';

let folder = '';
let files = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keelson-limiter-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function newFile(): string {
  files += 1;
  return join(folder, `limiter-${files}.db`);
}

const ONE = { limit: 1, perMs: 1_000, burst: 1 };

describe('the SQLite store', () => {
  limiterStoreContract(test, async () => {
    const clock = new FakeClock();
    const file = newFile();
    const store = sqliteStore({ file, clock });
    const other = sqliteStore({ file, clock });
    return { store, other, now: () => clock.now(), pass: (ms) => clock.advance(ms) };
  });

  test('grants no more than the limit of a window in any period, wherever calls arrive', async () => {
    const clock = new FakeClock();
    const file = newFile();
    const stores = [sqliteStore({ file, clock }), sqliteStore({ file, clock })];
    await expect(
      checkWindowArrivals({ stores, pass: (ms) => clock.advance(ms), numRuns: 60 }),
    ).resolves.toBeUndefined();
    for (const store of stores) await store.close();
  });

  test('takes the log of a window along if the clock has gone back by an hour, and waits out a minute', async () => {
    const clock = new FakeClock();
    const store = sqliteStore({ file: newFile(), clock });
    const window = { limit: 2, perMs: 1_000 };
    const take = (): Promise<Taken> | undefined => store.takeFromWindow?.('k', window);
    await take();
    await clock.advance(400);
    await take();
    clock.shiftEpoch(-30_000);
    expect(await take()).toMatchObject({ granted: false });
    clock.shiftEpoch(-3_600_000);
    expect(await take()).toEqual({ granted: false, retryAfterMs: 600, remaining: 0 });
    await clock.advance(600);
    expect(await take()).toMatchObject({ granted: true, remaining: 0 });
    await store.close();
  });

  test('removes the grants of windows that count no more', async () => {
    const clock = new FakeClock();
    const file = newFile();
    const store = sqliteStore({ file, clock });
    for (let i = 0; i < 999; i += 1) await store.takeFromWindow?.(`k${i}`, { limit: 1, perMs: 1_000 });
    await clock.advance(1_000);
    await store.takeFromWindow?.('last', { limit: 1, perMs: 1_000 });
    await store.close();
    const reader = new DatabaseSync(file);
    expect(reader.prepare('SELECT key FROM limiter_window').all()).toEqual([{ key: 'last' }]);
    reader.close();
  });

  test('adds windows to a file of the version before, and keeps its buckets', async () => {
    const file = newFile();
    const older = new DatabaseSync(file);
    older.exec(
      "CREATE TABLE limiter (key TEXT PRIMARY KEY, tat INTEGER NOT NULL) WITHOUT ROWID; INSERT INTO limiter VALUES ('kept', 1); PRAGMA user_version = 1;",
    );
    older.close();
    const store = sqliteStore({ file });
    expect(await store.takeFromWindow?.('k', { limit: 1, perMs: 1_000 })).toMatchObject({ granted: true });
    await store.close();
    const reader = new DatabaseSync(file);
    expect(reader.prepare('SELECT key FROM limiter').all()).toEqual([{ key: 'kept' }]);
    reader.close();
  });

  test('waits for a lock without holding up the event loop, and not after its question was aborted', async () => {
    const clock = new FakeClock();
    const file = newFile();
    const store = sqliteStore({ file, clock, random: () => 0.5 });
    await store.take('k', ONE);
    const holder = new DatabaseSync(file);
    holder.exec('BEGIN IMMEDIATE');
    const answers: Taken[] = [];
    const controller = new AbortController();
    void store.take('other', ONE).then((answer) => answers.push(answer));
    const aborted = expect(store.take('third', ONE, controller.signal)).rejects.toBe('late');
    await clock.advance(200);
    expect([answers.length, clock.timers.running]).toEqual([0, 2]);
    controller.abort('late');
    await clock.advance(20);
    await aborted;
    holder.exec('COMMIT');
    await clock.advance(20);
    expect(answers).toEqual([{ granted: true, retryAfterMs: 0, remaining: 0 }]);
    holder.close();
    await store.close();
  });

  test('gives up where the lock is never free', async () => {
    const clock = new FakeClock();
    const file = newFile();
    const holder = new DatabaseSync(file);
    holder.exec('PRAGMA journal_mode = WAL; BEGIN IMMEDIATE');
    const store = sqliteStore({ file, clock });
    const given = expect(store.take('k', ONE)).rejects.toThrow('database is locked');
    await clock.advance(2_000);
    await given;
    holder.close();
    await store.close();
  });

  test('leaves a file of a newer version alone', async () => {
    const file = newFile();
    const newer = new DatabaseSync(file);
    newer.exec('PRAGMA user_version = 9');
    newer.close();
    await expect(sqliteStore({ file }).take('k', ONE)).rejects.toMatchObject({
      code: 'ERR_KEELSON_STORE_SCHEMA',
      message: 'The file of the limiter has version 9; this version of Keelson knows 2.',
    });
  });

  test('begins anew with one token where the clock has gone back by an hour, and waits out a minute', async () => {
    const clock = new FakeClock();
    const store = sqliteStore({ file: newFile(), clock });
    const rate = { limit: 10, perMs: 1_000, burst: 10 };
    for (let i = 0; i < 10; i += 1) await store.take('k', rate);
    clock.shiftEpoch(-30_000);
    expect(await store.take('k', rate)).toEqual({ granted: false, retryAfterMs: 30_100, remaining: 0 });
    clock.shiftEpoch(-3_600_000);
    expect(await store.take('k', rate)).toMatchObject({ granted: true, remaining: 0 });
    expect(await store.take('k', rate)).toMatchObject({ granted: false, retryAfterMs: 100 });
    await store.close();
  });

  test('removes keys whose buckets are full', async () => {
    const clock = new FakeClock();
    const file = newFile();
    const store = sqliteStore({ file, clock });
    for (let i = 0; i < 999; i += 1) await store.take(`k${i}`, ONE);
    await clock.advance(1_000);
    await store.take('last', ONE);
    await store.close();
    const reader = new DatabaseSync(file);
    expect(reader.prepare('SELECT key FROM limiter').all()).toEqual([{ key: 'last' }]);
    reader.close();
    expect(statSync(file).size).toBeLessThan(1_000_000);
  });

  test('says why a file cannot be opened, at every question', async () => {
    const blocked = newFile();
    await sqliteStore({ file: blocked }).take('k', ONE);
    const store = sqliteStore({ file: join(blocked, 'limiter.db') });
    await expect(store.take('k', ONE)).rejects.toThrow(blocked);
    await expect(store.take('k', ONE)).rejects.toThrow(blocked);
  });

  test('makes the folder and its files for this user alone, and leaves the rights of what exists', async () => {
    const home = join(folder, 'app', '.keelson');
    const file = join(home, 'limiter.db');
    const store = sqliteStore({ file });
    await store.take('k', ONE);
    const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    expect([modeOf(join(folder, 'app')), modeOf(home)]).toEqual(['700', '700']);
    expect([file, `${file}-wal`, `${file}-shm`].map(modeOf)).toEqual(['600', '600', '600']);
    await store.close();
    chmodSync(home, 0o750);
    chmodSync(file, 0o660);
    const later = sqliteStore({ file });
    await later.take('k', ONE);
    expect([modeOf(home), modeOf(file)]).toEqual(['750', '660']);
    await later.close();
  });

  test('can be in memory, and makes no file then', async () => {
    const store = sqliteStore({ file: ':memory:' });
    expect(await store.take('k', ONE)).toMatchObject({ granted: true });
    expect(existsSync(':memory:')).toBe(false);
    await store.close();
  });

  test('keeps one window for two processes that hammer one key', async () => {
    const { granted, allowed, most } = await hammer('sqlite', newFile(), 600, 'window');
    expect(most).toBeLessThanOrEqual(10);
    expect(granted).toBeGreaterThan(allowed * 0.5);
  });

  test('keeps one limit for two processes that hammer one key', async () => {
    const { granted, allowed } = await hammer('sqlite', newFile(), 600);
    expect(granted).toBeLessThanOrEqual(allowed);
    expect(granted).toBeGreaterThan(allowed * 0.5);
  });
});

describe('options that no store can use', () => {
  test.each<[() => unknown, string]>([
    [() => sqliteStore({} as never), 'sqliteStore: Expected `file` to be a path, got undefined.'],
    [() => sqliteStore(undefined as never), 'sqliteStore: Expected `file` to be a path, got undefined.'],
    [() => sqliteStore({ fil: 'x' } as never), 'sqliteStore: Unknown option `fil`. Did you mean `file`?'],
    [() => sqliteStore({ file: '' }), "Expected `file` to be a path, got '' (string)."],
    [() => redisStore({ ulr: 'x' } as never), 'redisStore: Unknown option `ulr`. Did you mean `url`?'],
    [() => postgresStore({ pol: 1 } as never), 'postgresStore: Unknown option `pol`. Did you mean `pool`?'],
  ])('are refused when it is made: %s', (make, message) => {
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_KEELSON_CONFIG' }));
  });
});

/** What two libraries answer, without a server. */
describe('the stores with a client of yours', () => {
  test('Redis gets the script by its hash, and whole where it does not know it', async () => {
    const calls: string[] = [];
    const store = redisStore({
      prefix: 'p:',
      client: {
        evalsha: async (...[, keys, key]) => {
          calls.push(`evalsha ${keys} ${key}`);
          throw new Error('NOSCRIPT No matching script.');
        },
        eval: async (...[script, , key, interval, tolerance, count]) => {
          calls.push(
            `eval ${script.includes("redis.call('TIME')")} ${key} ${interval} ${tolerance} ${count}`,
          );
          return [1, 0];
        },
      },
    });
    expect(await store.take('k', ONE)).toEqual({ granted: true, retryAfterMs: 0, remaining: 0 });
    expect(calls).toEqual(['evalsha 1 p:k', 'eval true p:k 16000000 16000000 1']);
  });

  test('Redis is asked once for all that one turn asks of a key', async () => {
    const calls: unknown[] = [];
    const store = redisStore({
      client: {
        evalsha: async (...[, , key, , , count]) => {
          calls.push([key, count]);
          return [2, 0];
        },
        eval: async () => [],
      },
    });
    const rate = { limit: 1, perMs: 1_000, burst: 2 };
    const answers = await Promise.all([1, 2, 3].map(() => store.take('k', rate)));
    expect(answers).toEqual([
      { granted: true, retryAfterMs: 0, remaining: 1 },
      { granted: true, retryAfterMs: 0, remaining: 0 },
      { granted: false, retryAfterMs: 1_000, remaining: 0 },
    ]);
    await Promise.all([store.take('k', rate), store.take('k', ONE), store.take('j', rate)]);
    expect(calls).toEqual([
      ['limiter:k', 3],
      ['limiter:k', 1],
      ['limiter:k', 1],
      ['limiter:j', 1],
    ]);
  });

  test('an address or a client is needed', () => {
    expect(() => redisStore({} as { url: string })).toThrow('Expected `client` or `url` to be given');
    expect(() => postgresStore({} as { connectionString: string })).toThrow(
      'Expected `pool` or `connectionString` to be given',
    );
  });

  test('what Redis cannot do is thrown as it is, and what makes no sense has a code', async () => {
    const refused = new Error('OOM command not allowed');
    const failing = redisStore({ client: { evalsha: () => Promise.reject(refused), eval: async () => [] } });
    await expect(failing.take('k', ONE)).rejects.toBe(refused);
    const strange = redisStore({ client: { evalsha: async () => 'OK', eval: async () => 'OK' } });
    await expect(strange.take('k', ONE)).rejects.toMatchObject({ code: 'ERR_KEELSON_STORE_ANSWER' });
  });

  test('PostgreSQL makes its tables once for many questions, again after a failure, and refuses newer ones', async () => {
    const queries: string[] = [];
    let version = 1;
    let isDown = true;
    const pool = {
      query: async (text: string) => {
        queries.push(text.slice(0, 14));
        if (isDown) throw new Error('ECONNREFUSED');
        return text.startsWith('SELECT max(version)')
          ? { rows: [{ version }] }
          : { rows: [{ granted: true, ahead: 16_000_000 }] };
      },
    };
    const store: LimiterStore = postgresStore({ pool });
    await expect(store.take('k', ONE)).rejects.toThrow('ECONNREFUSED');
    isDown = false;
    await Promise.all([store.take('k', ONE), store.take('k', ONE)]);
    await settlePromises();
    expect(queries).toEqual([
      'SELECT pg_advi',
      'SELECT pg_advi',
      'SELECT max(ver',
      'WITH taken AS ',
      'WITH taken AS ',
    ]);
    version = 2;
    await expect(postgresStore({ pool }).take('k', ONE)).rejects.toMatchObject({
      code: 'ERR_KEELSON_STORE_SCHEMA',
    });
  });
});
