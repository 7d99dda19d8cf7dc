import { closeSync, existsSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { KeelsonError } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import type { Clock } from '../core/time/clock.ts';
import { systemFiles } from './file-port.ts';
import { OLDEST_SQLITE, sqliteFitness } from './sqlite-version.ts';

/** Opens a database file, and makes it if it is missing. A lock must not be waited for: the gate waits without holding up the event loop. */
export type SqliteDriver = (file: string) => DatabaseSync;

/** What a {@link SqliteGate} keeps, and where. */
export interface SqliteGateOptions<S> {
  /** Path of the database on a local disk, or `:memory:`. */
  readonly file: string;
  /** What the file is for, as messages name it: `limiter`. */
  readonly area: string;
  /**
   * Statements that bring the file from one version to the next: the first makes version 1. One that a release has contained never changes.
   */
  readonly migrations: readonly string[];
  /** Prepares the statements of an open database that has the newest version. */
  readonly prepare: (database: DatabaseSync) => S;
  /** Whether a commit survives a crash of the machine. Without it the last commits may be lost, and the file stays whole. */
  readonly durable: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** @defaultValue `node:sqlite` */
  readonly load?: () => Promise<SqliteDriver>;
}

/** An open database with its statements. */
interface Opened<S> {
  readonly database: DatabaseSync;
  readonly statements: S;
}

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
/** Another process holds the lock for microseconds. The wait for it doubles from the first figure up to the second. */
const FIRST_DELAY_MS = 1;
const MAX_DELAY_MS = 20;
const MAX_TRIES = 100;

/**
 * Stands before a SQLite file that the processes of one host share. It loads the driver and opens the file at the first use, for this user alone, and
 * brings it to the newest version. If another process holds the lock, the gate tries again a little later: the event loop never waits.
 */
export class SqliteGate<S> {
  readonly #options: SqliteGateOptions<S>;
  #driver: SqliteDriver | undefined;
  #opened: Opened<S> | undefined;
  #isClosed = false;

  constructor(options: SqliteGateOptions<S>) {
    this.#options = options;
  }

  /**
   * Runs `body` on the open database. If the lock is taken, `body` runs again, up to 100 times within two seconds.
   * @param body synchronous and short: the event loop waits for it. It must leave nothing half done when it throws.
   * @param signal ends the tries; a `body` that runs is not interrupted
   * @throws {KeelsonError} `ERR_KEELSON_STORE_CLOSED` after {@link close}, `ERR_KEELSON_STORE_SCHEMA` for a file of a newer version,
   * `ERR_KEELSON_SQLITE` without a SQLite that can be used; what `body` and SQLite throw; the reason of `signal`
   */
  async run<T>(body: (statements: S) => T, signal?: AbortSignal): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      signal?.throwIfAborted();
      try {
        this.#driver ??= await (this.#options.load ?? loadNodeSqlite)();
        return body(this.#open(this.#driver));
      } catch (error) {
        if (!isBusy(error) || tries >= MAX_TRIES) throw error;
      }
      await this.#pause(tries);
    }
  }

  /** Closes the file for good. Calling it again does nothing. */
  close(): void {
    this.#isClosed = true;
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.database.close();
  }

  #pause(tries: number): Promise<void> {
    const { clock, random } = this.#options;
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** tries);
    return new Promise((resolve) => void clock.setTimer(resolve, delayMs * random()));
  }

  #open(driver: SqliteDriver): S {
    const { area, file, prepare } = this.#options;
    if (this.#isClosed) throw new KeelsonError('ERR_KEELSON_STORE_CLOSED', `The ${area} store is closed.`);
    if (this.#opened) return this.#opened.statements;
    makeFile(file);
    const database = driver(file);
    try {
      this.#setJournal(database);
      this.#migrate(database);
      this.#opened = { database, statements: prepare(database) };
      return this.#opened.statements;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  #setJournal(database: DatabaseSync): void {
    const version = String(database.prepare('SELECT sqlite_version() AS version').get()?.['version']);
    const fitness = sqliteFitness(version);
    if (fitness === 'too_old') {
      throw new KeelsonError(
        'ERR_KEELSON_SQLITE',
        `SQLite ${version} is too old: ${OLDEST_SQLITE} is the oldest that works.`,
        { hint: 'Use a Node that brings its own SQLite, such as those of nodejs.org.' },
      );
    }
    const journal = fitness === 'wal' ? 'WAL' : 'DELETE';
    // Without a write-ahead log NORMAL could damage the file when the machine crashes.
    const synchronous = this.#options.durable || fitness !== 'wal' ? 'FULL' : 'NORMAL';
    database.exec(`PRAGMA journal_mode = ${journal}; PRAGMA synchronous = ${synchronous};`);
  }

  #migrate(database: DatabaseSync): void {
    if (this.#missing(database).length === 0) return;
    // A failure closes the database, which takes all of it back.
    database.exec('BEGIN IMMEDIATE');
    // Another process may have done it before this one had the lock.
    for (const migration of this.#missing(database)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${this.#options.migrations.length}; COMMIT;`);
  }

  /** @returns the migrations that the file has not had yet @throws {KeelsonError} for a file of a newer version */
  #missing(database: DatabaseSync): readonly string[] {
    const { area, migrations } = this.#options;
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version <= migrations.length) return migrations.slice(version);
    throw new KeelsonError(
      'ERR_KEELSON_STORE_SCHEMA',
      `The file of the ${area} has version ${version}; this version of Keelson knows ${migrations.length}.`,
      { hint: 'Use one version of Keelson for one file, or a file of its own for each.' },
    );
  }
}

/** SQLite makes no folders, and gives a file that it makes to all who may read; those beside it have the rights of the database. */
function makeFile(file: string): void {
  if (file === ':memory:' || file.startsWith('file:')) return;
  const folder = dirname(file);
  if (!existsSync(folder)) systemFiles.makeFolder(folder, PRIVATE_FOLDER);
  closeSync(openSync(file, 'a', PRIVATE_FILE));
}

async function loadNodeSqlite(): Promise<SqliteDriver> {
  try {
    const { DatabaseSync: Database } = await import('node:sqlite');
    return (file) => new Database(file, { timeout: 0 });
  } catch (cause) {
    throw new KeelsonError('ERR_KEELSON_SQLITE', 'This Node was built without SQLite.', {
      cause,
      hint: 'Use a Node that has `node:sqlite`, such as those of nodejs.org.',
    });
  }
}

function isBusy(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  const primaryCode = error.errcode % 256;
  return primaryCode === SQLITE_BUSY || primaryCode === SQLITE_LOCKED;
}
