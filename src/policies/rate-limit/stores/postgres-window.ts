import { CLOCK_STEP_MICROS, TICKS_START_MS } from '../limiter-store.ts';

const SWEEP_ROWS = 10_000;

/** One row for each key: the times of its last grants in microseconds, the oldest first, and when the last of them counts no more. */
export const WINDOW_TABLE =
  'CREATE UNLOGGED TABLE IF NOT EXISTS keelson_limiter_window (key text PRIMARY KEY, starts bigint[] NOT NULL, until bigint NOT NULL);';

const NOW = `(floor(extract(epoch FROM clock_timestamp())::numeric * 1000000)::bigint - ${TICKS_START_MS * 1_000})`;
const LAST = 'l.starts[cardinality(l.starts)]';
/** All but those that a further grant pushes out of the last `limit`. */
const KEPT = 'l.starts[greatest(1, cardinality(l.starts) - $2::int + 2):]';
/** The clock was set back: the log goes back with it. */
const IS_SET_BACK = `${LAST} > ${NOW} + ${CLOCK_STEP_MICROS}`;

/**
 * One statement: a further call is granted if the `limit`-th last one is a period ago. The row is compared under its lock, with the server's time under
 * that lock. A clock that was set back by more than a minute grants one call and moves the log; one that is less behind stands still. The wait
 * of a refused call comes from the snapshot of the statement; it is only a hint.
 */
export const TAKE_FROM_WINDOW: string = `WITH taken AS (
  INSERT INTO keelson_limiter_window AS l (key, starts, until) VALUES ($1, ARRAY[${NOW}], ${NOW} + $3::bigint)
  ON CONFLICT (key) DO UPDATE
    SET starts = CASE WHEN ${IS_SET_BACK}
        THEN ARRAY(SELECT kept - ${LAST} + ${NOW} FROM unnest(${KEPT}) WITH ORDINALITY AS u (kept, place) ORDER BY place) || ${NOW}
        ELSE ${KEPT} || greatest(${LAST}, ${NOW}) END,
      until = CASE WHEN ${IS_SET_BACK} THEN ${NOW} ELSE greatest(${LAST}, ${NOW}) END + $3::bigint
    WHERE cardinality(l.starts) < $2::int
      OR l.starts[cardinality(l.starts) - $2::int + 1] <= greatest(${LAST}, ${NOW}) - $3::bigint
      OR ${IS_SET_BACK}
  RETURNING starts[cardinality(starts)] AS at,
    (SELECT count(*) FROM unnest(starts) AS start WHERE start > starts[cardinality(starts)] - $3::bigint) AS counted
)
SELECT taken.at IS NOT NULL AS granted, taken.at::float8 AS at, taken.counted::float8 AS counted,
  CASE WHEN taken.at IS NULL THEN
    (SELECT starts[cardinality(starts) - $2::int + 1] + $3::bigint - ${NOW} FROM keelson_limiter_window WHERE key = $1)::float8
  END AS wait
FROM (VALUES (1)) AS one LEFT JOIN taken ON true`;

/** Removes one grant of that time: which of several does not matter. */
export const GIVE_BACK_TO_WINDOW = `UPDATE keelson_limiter_window
  SET starts = starts[:array_position(starts, $2::bigint) - 1] || starts[array_position(starts, $2::bigint) + 1:]
  WHERE key = $1 AND array_position(starts, $2::bigint) IS NOT NULL`;

/** Removes the keys of which no grant counts any more. */
export const SWEEP_WINDOWS: string = `DELETE FROM keelson_limiter_window WHERE key IN
  (SELECT key FROM keelson_limiter_window WHERE until <= ${NOW} LIMIT ${SWEEP_ROWS} FOR UPDATE SKIP LOCKED)`;
