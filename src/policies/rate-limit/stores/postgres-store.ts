import { ConfigError, KeelsonError } from '../../../core/errors.ts';
import { OptionChecker } from '../../../core/options.ts';
import { loadPeer } from '../../../storage/index.ts';
import type { LimiterStore, Taken } from '../limiter-store.ts';
import {
  CLOCK_STEP_TICKS,
  fullFor,
  granted,
  grantedAt,
  inMicros,
  inTicks,
  refused,
  TICKS_PER_MS,
  TICKS_START_MS,
} from '../limiter-store.ts';
import type { Rate } from '../quota/gcra.ts';
import type { RateWindow } from '../quota/window-log.ts';
import { GIVE_BACK_TO_WINDOW, SWEEP_WINDOWS, TAKE_FROM_WINDOW, WINDOW_TABLE } from './postgres-window.ts';

/** The part of a `pg` pool that the store uses. */
export interface PostgresLimiterPool {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
}

/** How to reach PostgreSQL 10 or newer: a `pg` pool of yours, or the connection string for one of the store's own. */
export type PostgresStoreOptions =
  | { readonly pool: PostgresLimiterPool; readonly connectionString?: undefined }
  | { readonly connectionString: string; readonly pool?: undefined };

/** A pool that the store has made. */
interface OwnPool extends PostgresLimiterPool {
  end(): Promise<void>;
}

const SCHEMA_VERSION = 1;
const OWN_CONNECTIONS = 4;
/** Every so often the keys whose buckets are full are removed: a full one and none at all are the same. */
const TAKES_PER_SWEEP = 10_000;
const SWEEP_ROWS = 10_000;
/** Any number that nobody else uses: one process at a time makes the tables. */
const SCHEMA_LOCK = 7_235_110;

const NOW = `(floor(extract(epoch FROM clock_timestamp())::numeric * ${TICKS_PER_MS * 1_000})::bigint - ${TICKS_START_MS * TICKS_PER_MS})`;

/** Unlogged: fast, and empty after a crash of the server, which then allows one burst more. */
const SCHEMA = `SELECT pg_advisory_xact_lock(${SCHEMA_LOCK});
CREATE TABLE IF NOT EXISTS keelson_schema (area text PRIMARY KEY, version integer NOT NULL);
INSERT INTO keelson_schema VALUES ('limiter', ${SCHEMA_VERSION}) ON CONFLICT DO NOTHING;
INSERT INTO keelson_schema VALUES ('limiter_window', ${SCHEMA_VERSION}) ON CONFLICT DO NOTHING;
CREATE UNLOGGED TABLE IF NOT EXISTS keelson_limiter (key text PRIMARY KEY, tat bigint NOT NULL);
${WINDOW_TABLE}`;

/**
 * One statement. The row is compared under its lock, with the server's time under that lock: a time from before it would be older than what a
 * call that came first has written, and take a token away. What a refused call is told comes from the snapshot of the statement; it is only a hint.
 */
const TAKE = `WITH taken AS (
  INSERT INTO keelson_limiter AS l (key, tat) VALUES ($1, ${NOW} + $2::bigint)
  ON CONFLICT (key) DO UPDATE
    SET tat = CASE WHEN l.tat > ${NOW} + $3::bigint + ${CLOCK_STEP_TICKS}
      THEN ${NOW} + $3::bigint
      ELSE greatest(l.tat, ${NOW}) + $2::bigint END
    WHERE l.tat <= ${NOW} - $2::bigint + $3::bigint
      OR l.tat > ${NOW} + $3::bigint + ${CLOCK_STEP_TICKS}
  RETURNING greatest(tat - ${NOW}, $2::bigint) AS ahead
)
SELECT taken.ahead IS NOT NULL AS granted,
  coalesce(taken.ahead, (SELECT tat FROM keelson_limiter WHERE key = $1) - ${NOW}, $3::bigint)::float8 AS ahead
FROM (VALUES (1)) AS one LEFT JOIN taken ON true`;

const SWEEP = `DELETE FROM keelson_limiter WHERE key IN
  (SELECT key FROM keelson_limiter WHERE tat <= ${NOW} LIMIT ${SWEEP_ROWS} FOR UPDATE SKIP LOCKED)`;

/**
 * A limit that all processes with the same PostgreSQL database share.
 * @throws {ConfigError} without a pool and without a connection string, and for options that do not exist
 */
export function postgresStore(options: PostgresStoreOptions): LimiterStore {
  const check = new OptionChecker('postgresStore');
  check.keys(options, ['pool', 'connectionString']);
  check.done();
  const { pool } = options;
  const address = options.connectionString ?? '';
  if (!pool && address === '')
    throw new ConfigError('postgresStore', [
      'Expected `pool` or `connectionString` to be given, got neither.',
    ]);
  let own: OwnPool | undefined;
  let ready: Promise<PostgresLimiterPool> | undefined;
  let isClosed = false;
  let takes = 0;

  async function open(): Promise<PostgresLimiterPool> {
    if (!pool) own ??= await newPool(address);
    const database = pool ?? own;
    if (!database || isClosed) throw closedError();
    await prepare(database);
    return database;
  }

  function connection(): Promise<PostgresLimiterPool> {
    ready ??= open().catch((error: unknown) => {
      ready = undefined;
      throw error;
    });
    return ready;
  }

  /** Nothing depends on it: what it leaves is removed the next time. */
  function sweepAt(database: PostgresLimiterPool, sweep: string): void {
    takes += 1;
    if (takes % TAKES_PER_SWEEP === 0) database.query(sweep).catch(() => undefined);
  }

  return {
    async takeFromWindow(key: string, window: RateWindow): Promise<Taken> {
      if (isClosed) throw closedError();
      const database = await connection();
      const micros = inMicros(window);
      const { rows } = await database.query(TAKE_FROM_WINDOW, [key, micros.limit, micros.per]);
      sweepAt(database, SWEEP_WINDOWS);
      const { granted: isGranted, at, counted, wait } = rows[0] ?? {};
      return isGranted === true ? grantedAt(Number(at), Number(counted), micros) : fullFor(Number(wait));
    },
    async giveBack(key: string, _window: RateWindow, at: number): Promise<void> {
      if (isClosed) throw closedError();
      const database = await connection();
      await database.query(GIVE_BACK_TO_WINDOW, [key, at]);
    },
    async take(key: string, rate: Rate): Promise<Taken> {
      if (isClosed) throw closedError();
      const database = await connection();
      const ticks = inTicks(rate);
      const { rows } = await database.query(TAKE, [key, ticks.interval, ticks.tolerance]);
      sweepAt(database, SWEEP);
      const ahead = Number(rows[0]?.['ahead']);
      return rows[0]?.['granted'] === true ? granted(ahead, ticks) : refused(ahead, ticks);
    },
    async close(): Promise<void> {
      isClosed = true;
      await ready?.catch(() => undefined);
      const opened = own;
      own = undefined;
      await opened?.end();
    },
  };
}

/** Makes the tables where they are missing. @throws for those of a newer version */
async function prepare(database: PostgresLimiterPool): Promise<void> {
  await database.query(SCHEMA);
  const { rows } = await database.query(
    "SELECT max(version) AS version FROM keelson_schema WHERE area IN ('limiter', 'limiter_window')",
  );
  const version = rows[0]?.['version'];
  if (version === SCHEMA_VERSION) return;
  throw new KeelsonError(
    'ERR_KEELSON_STORE_SCHEMA',
    `The tables of the limiter have version ${String(version)}; this version of Keelson knows ${SCHEMA_VERSION}.`,
    { hint: 'Use one version of Keelson for one database, or a database of its own for each.' },
  );
}

function closedError(): KeelsonError {
  return new KeelsonError('ERR_KEELSON_STORE_CLOSED', 'The limiter store is closed.');
}

async function newPool(connectionString: string): Promise<OwnPool> {
  const { default: pg } = await loadPeer('pg', () => import('pg'), 'postgresStore({ pool })');
  const pool = new pg.Pool({ connectionString, max: OWN_CONNECTIONS, allowExitOnIdle: true });
  // A connection that breaks while nobody uses it; the next query says so itself. Without a listener it would end the process.
  pool.on('error', () => {});
  return pool;
}
