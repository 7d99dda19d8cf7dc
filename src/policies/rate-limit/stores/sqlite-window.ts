import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { MicroWindow, Taken } from '../limiter-store.ts';
import { CLOCK_STEP_MICROS, fullFor, grantedAt } from '../limiter-store.ts';

/** One row for each grant. `until` is the time from which it counts no more. */
export const WINDOW_MIGRATION = `CREATE TABLE IF NOT EXISTS limiter_window (id INTEGER PRIMARY KEY, key TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS limiter_window_by_key ON limiter_window (key, at);
CREATE INDEX IF NOT EXISTS limiter_window_by_end ON limiter_window (until);`;

const LAST = 'SELECT max(at) AS last FROM limiter_window WHERE key = :key';
const COUNT = 'SELECT count(*) AS counted FROM limiter_window WHERE key = :key AND at > :after';
const BLOCKING = 'SELECT at FROM limiter_window WHERE key = :key ORDER BY at DESC LIMIT 1 OFFSET :limit - 1';
const ADD = 'INSERT INTO limiter_window (key, at, until) VALUES (:key, :at, :until)';
const MOVE = 'UPDATE limiter_window SET at = at - :step, until = until - :step WHERE key = :key';
const GIVE_BACK =
  'DELETE FROM limiter_window WHERE id = (SELECT id FROM limiter_window WHERE key = :key AND at = :at LIMIT 1)';
const SWEEP =
  'DELETE FROM limiter_window WHERE id IN (SELECT id FROM limiter_window WHERE until <= :now LIMIT :rows)';

/** The statements of the windows in a limiter's database. */
export interface SqliteWindow {
  readonly begin: StatementSync;
  readonly commit: StatementSync;
  readonly rollback: StatementSync;
  readonly last: StatementSync;
  readonly count: StatementSync;
  readonly blocking: StatementSync;
  readonly add: StatementSync;
  readonly move: StatementSync;
  readonly giveBack: StatementSync;
  readonly sweep: StatementSync;
}

/** Prepares the statements. */
export function prepareWindow(database: DatabaseSync): SqliteWindow {
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    last: database.prepare(LAST),
    count: database.prepare(COUNT),
    blocking: database.prepare(BLOCKING),
    add: database.prepare(ADD),
    move: database.prepare(MOVE),
    giveBack: database.prepare(GIVE_BACK),
    sweep: database.prepare(SWEEP),
  };
}

/**
 * Takes a token in one transaction, which has the lock of the file from its beginning.
 * @param now microseconds on the clock of the host
 * @throws what SQLite throws, with nothing changed
 */
export function takeInSqlite(statements: SqliteWindow, key: string, window: MicroWindow, now: number): Taken {
  statements.begin.run();
  try {
    const taken = takeLocked(statements, key, window, now);
    statements.commit.run();
    return taken;
  } catch (error) {
    rollBack(statements);
    throw error;
  }
}

function rollBack({ rollback }: SqliteWindow): void {
  try {
    rollback.run();
  } catch {
    // After some failures, such as a full disk, SQLite has rolled back by itself. The first error is the one to know.
  }
}

/** Gives back one grant of that time: which of several does not matter. */
export function giveBackInSqlite({ giveBack }: SqliteWindow, key: string, at: number): void {
  giveBack.run({ key, at });
}

function takeLocked(statements: SqliteWindow, key: string, { limit, per }: MicroWindow, now: number): Taken {
  const last = Number(statements.last.get({ key })?.['last'] ?? now);
  const step = last - now;
  const isSetBack = step > CLOCK_STEP_MICROS;
  if (isSetBack) statements.move.run({ key, step });
  // A clock that is a little behind stands still until it has caught up.
  const at = isSetBack ? now : Math.max(now, last);
  const counted = Number(statements.count.get({ key, after: at - per })?.['counted']);
  if (counted < limit) {
    statements.add.run({ key, at, until: at + per });
    return grantedAt(at, counted + 1, { limit, per });
  }
  const blocking = Number(statements.blocking.get({ key, limit })?.['at'] ?? at);
  return fullFor(blocking + per - now);
}
