import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { SqliteGate } from '../../../src/storage/index.ts';
import type { SqliteDriver, SqliteGateOptions } from '../../../src/storage/index.ts';
import { sqliteFitness } from '../../../src/storage/sqlite-version.ts';
import { FakeClock } from '../../../src/testing/index.ts';

let folder = '';
let files = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keelson-sqlite-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  vi.doUnmock('node:sqlite');
});

function newFile(): string {
  files += 1;
  return join(folder, `gate-${files}.db`);
}

const FIRST = 'CREATE TABLE note (text TEXT);';
const SECOND = "ALTER TABLE note ADD COLUMN author TEXT DEFAULT 'nobody';";

function gateOn(
  file: string,
  changes: Partial<SqliteGateOptions<DatabaseSync>> = {},
): SqliteGate<DatabaseSync> {
  return new SqliteGate({
    file,
    area: 'notebook',
    migrations: [FIRST],
    durable: true,
    clock: new FakeClock(),
    random: () => 0.5,
    prepare: (database) => database,
    ...changes,
  });
}

/** A driver whose SQLite gives another version than its own. */
function driverOf(version: string): SqliteDriver {
  return (file) => {
    const database = new DatabaseSync(file, { timeout: 0 });
    database.function('sqlite_version', () => version);
    return database;
  };
}

function pragma(gate: SqliteGate<DatabaseSync>, name: string): Promise<unknown> {
  return gate.run((database) => database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

describe('the version of a file', () => {
  test('rises with each migration, and what is in the file stays', async () => {
    const file = newFile();
    const old = gateOn(file);
    await old.run((database) => database.exec("INSERT INTO note VALUES ('kept')"));
    expect(await pragma(old, 'user_version')).toBe(1);
    old.close();
    const gate = gateOn(file, { migrations: [FIRST, SECOND] });
    expect(await gate.run((database) => database.prepare('SELECT * FROM note').all())).toEqual([
      { text: 'kept', author: 'nobody' },
    ]);
    expect(await pragma(gate, 'user_version')).toBe(2);
    gate.close();
  });

  test('of the newest is opened while another process holds the lock', async () => {
    const file = newFile();
    const first = gateOn(file);
    await first.run(() => undefined);
    const holder = new DatabaseSync(file);
    holder.exec('BEGIN IMMEDIATE');
    const gate = gateOn(file);
    expect(await gate.run((database) => database.prepare('SELECT count(*) AS n FROM note').get())).toEqual({
      n: 0,
    });
    holder.close();
    first.close();
    gate.close();
  });

  test('stays when a migration fails, with all that came before the failure', async () => {
    const file = newFile();
    const broken = gateOn(file, { migrations: [FIRST, 'INSERT INTO nowhere VALUES (1);'] });
    await expect(broken.run(() => undefined)).rejects.toThrow('no such table: nowhere');
    const reader = new DatabaseSync(file);
    expect(reader.prepare('PRAGMA user_version').get()).toEqual({ user_version: 0 });
    expect(reader.prepare('SELECT name FROM sqlite_schema').all()).toEqual([]);
    reader.close();
    const mended = gateOn(file);
    expect(await pragma(mended, 'user_version')).toBe(1);
    mended.close();
  });

  test('that is newer than this Keelson is refused, and the file stays as it is', async () => {
    const file = newFile();
    const newer = gateOn(file, { migrations: [FIRST, SECOND] });
    await newer.run(() => undefined);
    newer.close();
    await expect(gateOn(file).run(() => undefined)).rejects.toMatchObject({
      code: 'ERR_KEELSON_STORE_SCHEMA',
      message: 'The file of the notebook has version 2; this version of Keelson knows 1.',
    });
  });
});

describe('the version of SQLite', () => {
  test.each([
    ['3.34.1', 'too_old'],
    ['2.8.17', 'too_old'],
    ['unknown', 'too_old'],
    ['3.35.0', 'rollback'],
    ['3.44.5', 'rollback'],
    ['3.44.6', 'wal'],
    ['3.45.0', 'rollback'],
    ['3.50.6', 'rollback'],
    ['3.50.7', 'wal'],
    ['3.51.2', 'rollback'],
    ['3.51.3', 'wal'],
    ['3.52.0', 'wal'],
    ['4.0.0', 'wal'],
  ])('%s is fit for: %s', (version, fitness) => {
    expect(sqliteFitness(version)).toBe(fitness);
  });

  test.each([
    ['3.51.2', false, 'delete', 2],
    ['3.51.3', false, 'wal', 1],
    ['3.51.3', true, 'wal', 2],
  ])(
    '%s with `durable: %s` writes with the journal %s and synchronous %i',
    async (version, durable, journal, sync) => {
      const gate = gateOn(newFile(), { durable, load: async () => driverOf(version) });
      expect([await pragma(gate, 'journal_mode'), await pragma(gate, 'synchronous')]).toEqual([
        journal,
        sync,
      ]);
      gate.close();
    },
  );

  test('that is too old is refused with what to do', async () => {
    const gate = gateOn(newFile(), { load: async () => driverOf('3.34.1') });
    await expect(gate.run(() => undefined)).rejects.toMatchObject({
      code: 'ERR_KEELSON_SQLITE',
      message: 'SQLite 3.34.1 is too old: 3.35.0 is the oldest that works.',
    });
  });

  test('of a Node without SQLite is none, which is said at the first use', async () => {
    vi.doMock('node:sqlite', () => {
      throw new Error('No such built-in module');
    });
    await expect(gateOn(newFile()).run(() => undefined)).rejects.toMatchObject({
      code: 'ERR_KEELSON_SQLITE',
      message: 'This Node was built without SQLite.',
    });
  });
});

describe('a lock that another process holds', () => {
  test('is waited for with growing pauses, and the event loop is free meanwhile', async () => {
    const clock = new FakeClock();
    const file = newFile();
    const gate = gateOn(file, { clock });
    await gate.run(() => undefined);
    const holder = new DatabaseSync(file);
    holder.exec('BEGIN IMMEDIATE');
    const tries: number[] = [];
    const written = gate.run((database) => {
      tries.push(clock.now());
      database.exec("INSERT INTO note VALUES ('late')");
      return 'written';
    });
    await clock.advance(40);
    holder.exec('COMMIT');
    await clock.advance(20);
    expect(await written).toBe('written');
    expect(tries).toEqual([0, 1, 3, 7, 15, 25, 35, 45]);
    holder.close();
    gate.close();
  });

  test('ends after a hundred tries', async () => {
    const clock = new FakeClock();
    const file = newFile();
    const gate = gateOn(file, { clock });
    await gate.run(() => undefined);
    const holder = new DatabaseSync(file);
    holder.exec('BEGIN IMMEDIATE');
    let tries = 0;
    const failed = expect(
      gate.run((database) => {
        tries += 1;
        database.exec("INSERT INTO note VALUES ('never')");
      }),
    ).rejects.toThrow('database is locked');
    await clock.advance(2_000);
    await failed;
    expect(tries).toBe(100);
    holder.close();
    gate.close();
  });
});

describe('the file', () => {
  test('lies where the folder is a symbolic link to one', async () => {
    const target = join(folder, 'target');
    mkdirSync(target);
    symlinkSync(target, join(folder, 'link'));
    const gate = gateOn(join(folder, 'link', 'notes.db'));
    await gate.run(() => undefined);
    expect((statSync(join(target, 'notes.db')).mode & 0o777).toString(8)).toBe('600');
    gate.close();
  });

  test('is closed for good, and closing it again does nothing', async () => {
    const gate = gateOn(newFile());
    await gate.run(() => undefined);
    gate.close();
    gate.close();
    await expect(gate.run(() => undefined)).rejects.toMatchObject({
      code: 'ERR_KEELSON_STORE_CLOSED',
      message: 'The notebook store is closed.',
    });
  });
});
