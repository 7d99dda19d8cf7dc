import type { StatementSync } from 'node:sqlite';
import { OptionChecker } from '../../../core/options.ts';
import type { Random } from '../../../core/random.ts';
import { systemRandom } from '../../../core/random.ts';
import type { Clock } from '../../../core/time/clock.ts';
import { systemClock } from '../../../core/time/clock.ts';
import { SqliteGate } from '../../../storage/index.ts';
import type { LimiterStore, Taken, TickRate } from '../limiter-store.ts';
import {
  CLOCK_STEP_TICKS,
  granted,
  inMicros,
  inTicks,
  MICROS_PER_MS,
  refused,
  TICKS_PER_MS,
  TICKS_START_MS,
} from '../limiter-store.ts';
import type { Rate } from '../quota/gcra.ts';
import type { RateWindow } from '../quota/window-log.ts';
import type { SqliteWindow } from './sqlite-window.ts';
import { giveBackInSqlite, prepareWindow, takeInSqlite, WINDOW_MIGRATION } from './sqlite-window.ts';

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

/** A crash of the machine may cost the last counts: it then allows one burst more. */
const MIGRATIONS = [
  'CREATE TABLE IF NOT EXISTS limiter (key TEXT PRIMARY KEY, tat INTEGER NOT NULL) WITHOUT ROWID;',
  WINDOW_MIGRATION,
] as const;
/** Every so often the keys whose buckets are full are removed: a full one and none at all are the same. */
const TAKES_PER_SWEEP = 1_000;
const SWEEP_ROWS = 1_000;

const TAKE = `INSERT INTO limiter (key, tat) VALUES (:key, :now + :interval)
ON CONFLICT (key) DO UPDATE
  SET tat = CASE WHEN tat > :now + :tolerance + ${CLOCK_STEP_TICKS} THEN :now + :tolerance ELSE max(tat, :now) + :interval END
  WHERE tat <= :now + :tolerance - :interval OR tat > :now + :tolerance + ${CLOCK_STEP_TICKS}
RETURNING tat`;
const SWEEP = `DELETE FROM limiter WHERE key IN (SELECT key FROM limiter WHERE tat <= :now LIMIT ${SWEEP_ROWS})`;

/** The statements of a limiter's database. */
interface Statements {
  readonly take: StatementSync;
  readonly look: StatementSync;
  readonly sweep: StatementSync;
  readonly window: SqliteWindow;
}

/**
 * A limit that the processes of one host share through a file. The event loop never waits for a lock: it is tried again a little later.
 * @throws {ConfigError} for options that cannot be used
 */
export function sqliteStore(options: SqliteStoreOptions): LimiterStore {
  checkOptions(options);
  const { file, clock = systemClock, random = systemRandom } = options;
  const gate = new SqliteGate<Statements>({
    file,
    area: 'limiter',
    migrations: MIGRATIONS,
    durable: false,
    clock,
    random,
    prepare: (database) => ({
      take: database.prepare(TAKE),
      look: database.prepare('SELECT tat FROM limiter WHERE key = :key'),
      sweep: database.prepare(SWEEP),
      window: prepareWindow(database),
    }),
  });
  let takes = 0;

  function attempt(key: string, ticks: TickRate, { take, look, sweep }: Statements): Taken {
    const now = Math.round((clock.epoch() - TICKS_START_MS) * TICKS_PER_MS);
    takes += 1;
    if (takes % TAKES_PER_SWEEP === 0) sweep.run({ now });
    const row = take.get({ key, now, ...ticks });
    if (row) return granted(Number(row['tat']) - now, ticks);
    const found = look.get({ key });
    return refused(Number(found?.['tat'] ?? now) - now, ticks);
  }

  function fromWindow(key: string, window: RateWindow, { window: statements }: Statements): Taken {
    const now = Math.round((clock.epoch() - TICKS_START_MS) * MICROS_PER_MS);
    takes += 1;
    if (takes % TAKES_PER_SWEEP === 0) statements.sweep.run({ now, rows: SWEEP_ROWS });
    return takeInSqlite(statements, key, inMicros(window), now);
  }

  return {
    async takeFromWindow(key: string, window: RateWindow, signal?: AbortSignal): Promise<Taken> {
      return gate.run((statements) => fromWindow(key, window, statements), signal);
    },
    async giveBack(key: string, _window: RateWindow, at: number, signal?: AbortSignal): Promise<void> {
      return gate.run((statements) => giveBackInSqlite(statements.window, key, at), signal);
    },
    async take(key: string, rate: Rate, signal?: AbortSignal): Promise<Taken> {
      const ticks = inTicks(rate);
      return gate.run((statements) => attempt(key, ticks, statements), signal);
    },
    async close(): Promise<void> {
      gate.close();
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
