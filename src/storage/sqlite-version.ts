/** What a version of SQLite can be used for. `rollback`: only with a rollback journal, not with a write-ahead log. */
export type SqliteFitness = 'wal' | 'rollback' | 'too_old';

/** The oldest version with `RETURNING`. */
export const OLDEST_SQLITE = '3.35.0';

/** Releases that contain the fix of the WAL-reset bug, by minor version; from 3.51.3 on all do. */
const FIXED_PATCH: Readonly<Record<number, number>> = { 44: 6, 50: 7, 51: 3 };
const LAST_BROKEN_MINOR = 51;

/**
 * Judges a version of SQLite. From 3.7.0 to 3.51.2 the write-ahead log can lose committed changes when two processes write and checkpoint at
 * the same instant (https://sqlite.org/wal.html#the_wal_reset_bug).
 * @param version as `sqlite_version()` gives it, such as `3.51.3`
 * @returns `too_old` also for what is no version
 */
export function sqliteFitness(version: string): SqliteFitness {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (major > 3) return 'wal';
  if (major !== 3 || !(minor >= 35)) return 'too_old';
  if (minor > LAST_BROKEN_MINOR) return 'wal';
  const fixed = FIXED_PATCH[minor];
  return fixed !== undefined && patch >= fixed ? 'wal' : 'rollback';
}
