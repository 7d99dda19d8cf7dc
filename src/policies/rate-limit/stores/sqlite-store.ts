import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../../core/clock.ts';
import { systemClock } from '../../../core/clock.ts';
import { KeelsonError } from '../../../core/errors.ts';
import { OptionChecker } from '../../../core/options.ts';
import type { Random } from '../../../core/random.ts';
import { systemRandom } from '../../../core/random.ts';
import type { Rate } from '../gcra.ts';
import type { LimiterStore, Taken, TickRate } from '../limiter-store.ts';
import {
  CLOCK_STEP_TICKS,
  granted,
  inTicks,
  refused,
  TICKS_PER_MS,
  TICKS_START_MS,
} from '../limiter-store.ts';

/** Where the file is, and where time and chance come from. */
export interface SqliteStoreOptions {
  /**
   * Path of the database, on a local disk. It is made where there is none, with its folder, and with files of the same name and `-wal`, `-shm`
   * beside it: for this user alone (0700 and 0600). What exists keeps its rights.
   */
  readonly file: string;
  /** @defaultValue the clock of the machine, which its processes share */
  readonly clock?: Clock;
  /** @defaultValue `Math.random` */
  readonly random?: Random;
}

const SCHEMA_VERSION = 1;
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
/** Another process has the lock for microseconds; waiting is asynchronous, with a delay that doubles up to the second figure. */
const FIRST_DELAY_MS = 1;
const MAX_DELAY_MS = 20;
const MAX_TRIES = 100;
/** Every so often the keys whose buckets are full are removed: a full one and none at all are the same. */
const TAKES_PER_SWEEP = 1_000;
const SWEEP_ROWS = 1_000;

const TAKE = `INSERT INTO limiter (key, tat) VALUES (:key, :now + :interval)
ON CONFLICT (key) DO UPDATE
  SET tat = CASE WHEN tat > :now + :tolerance + ${CLOCK_STEP_TICKS} THEN :now + :tolerance ELSE max(tat, :now) + :interval END
  WHERE tat <= :now + :tolerance - :interval OR tat > :now + :tolerance + ${CLOCK_STEP_TICKS}
RETURNING tat`;
const SWEEP = `DELETE FROM limiter WHERE key IN (SELECT key FROM limiter WHERE tat <= :now LIMIT ${SWEEP_ROWS})`;

/** The open database with its statements. */
interface Opened {
  readonly database: DatabaseSync;
  readonly take: StatementSync;
  readonly look: StatementSync;
  readonly sweep: StatementSync;
}

/**
 * A limit that the processes of one host share through a file. The event loop never waits for a lock: it is tried again a little later.
 * @throws {ConfigError} for options that cannot be used
 */
export function sqliteStore(options: SqliteStoreOptions): LimiterStore {
  checkOptions(options);
  const { file, clock = systemClock, random = systemRandom } = options;
  let opened: Opened | undefined;
  let isClosed = false;
  let takes = 0;

  async function attempt(key: string, ticks: TickRate): Promise<Taken> {
    const { DatabaseSync: Database } = await import('node:sqlite');
    if (isClosed) throw closedError();
    if (!opened) {
      makeFile(file);
      opened = open(new Database(file, { timeout: 0 }));
    }
    const now = Math.round((clock.epoch() - TICKS_START_MS) * TICKS_PER_MS);
    takes += 1;
    if (takes % TAKES_PER_SWEEP === 0) opened.sweep.run({ now });
    const row = opened.take.get({ key, now, ...ticks });
    if (row) return granted(Number(row['tat']) - now, ticks);
    const found = opened.look.get({ key });
    return refused(Number(found?.['tat'] ?? now) - now, ticks);
  }

  return {
    async take(key: string, rate: Rate, signal?: AbortSignal): Promise<Taken> {
      const ticks = inTicks(rate);
      for (let tries = 1; ; tries += 1) {
        signal?.throwIfAborted();
        try {
          return await attempt(key, ticks);
        } catch (error) {
          if (!isBusy(error) || tries >= MAX_TRIES) throw error;
        }
        const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** tries);
        await new Promise<void>((resolve) => clock.setTimer(resolve, delayMs * random()));
      }
    },
    async close(): Promise<void> {
      isClosed = true;
      opened?.database.close();
      opened = undefined;
    },
  };
}

function checkOptions(options: Partial<SqliteStoreOptions> | undefined): void {
  const check = new OptionChecker('sqliteStore');
  check.keys(options, ['file', 'clock', 'random']);
  const { file, random } = options ?? {};
  if (typeof file !== 'string' || file === '') {
    const remedy = "Say where the limit is kept: `sqliteStore({ file: '.keelson/limiter.db' })`.";
    check.problem('file', 'to be a path', file, remedy);
  }
  check.function('random', random, 'Give one such as `Math.random`.');
  check.done();
}

/** SQLite makes no folders, and gives a file that it makes to all who may read; those beside it have the rights of the database. */
function makeFile(file: string): void {
  if (file === ':memory:' || file.startsWith('file:')) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
}

function open(database: DatabaseSync): Opened {
  try {
    prepare(database);
    return {
      database,
      take: database.prepare(TAKE),
      look: database.prepare('SELECT tat FROM limiter WHERE key = :key'),
      sweep: database.prepare(SWEEP),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A crash of the machine may cost the last counts: it then allows one burst more. @throws for a file of a newer version */
function prepare(database: DatabaseSync): void {
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
  database.exec('BEGIN IMMEDIATE');
  try {
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > SCHEMA_VERSION) throw newerSchema(version);
    database.exec(`CREATE TABLE IF NOT EXISTS limiter (key TEXT PRIMARY KEY, tat INTEGER NOT NULL) WITHOUT ROWID;
PRAGMA user_version = ${SCHEMA_VERSION};`);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

function newerSchema(version: number): KeelsonError {
  return new KeelsonError(
    'ERR_KEELSON_STORE_SCHEMA',
    `The file of the limiter has version ${version}; this version of Keelson knows ${SCHEMA_VERSION}.`,
    { hint: 'Use one version of Keelson for one file, or a file of its own for each.' },
  );
}

function closedError(): KeelsonError {
  return new KeelsonError('ERR_KEELSON_STORE_CLOSED', 'The limiter store is closed.');
}

function isBusy(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  const primaryCode = error.errcode % 256;
  return primaryCode === SQLITE_BUSY || primaryCode === SQLITE_LOCKED;
}
