import { ConfigError } from '../../core/errors.ts';
import type { BreakerState } from '../../core/events.ts';
import { BREAKER_STATES } from '../../core/events.ts';

/** The version of the form below. */
export const SAVED_VERSION = 1;

/** The state of a breaker in plain JSON, to be kept over a restart. */
export interface SavedBreaker {
  readonly version: typeof SAVED_VERSION;
  readonly state: BreakerState;
  /** How often it opened since it was closed last. */
  readonly openings: number;
  /** Wall-clock milliseconds at which an open circuit lets a trial through; `null` in any other state. */
  readonly openUntil: number | null;
  /** What the closed circuit's rule has counted. */
  readonly rule: unknown;
}

/** The state of a guard that has no breaker any more. */
export const NOTHING_SAVED: SavedBreaker = {
  version: SAVED_VERSION,
  state: 'closed',
  openings: 0,
  openUntil: null,
  rule: null,
};

/** Reads a saved state. @throws {ConfigError} that says what is wrong with it */
export function parseSaved(saved: unknown): SavedBreaker {
  if (typeof saved !== 'object' || saved === null)
    throw refused(`an object, got ${saved === null ? 'null' : typeof saved}`);
  const { version, state, openings, openUntil, rule } = saved as Record<string, unknown>;
  if (version !== SAVED_VERSION)
    throw refused(`version ${SAVED_VERSION}, got ${JSON.stringify(version) ?? 'none'}`);
  const known = BREAKER_STATES.find((name) => name === state);
  if (!known)
    throw refused(`a state of ${BREAKER_STATES.join(', ')}, got ${JSON.stringify(state) ?? 'none'}`);
  if (typeof openings !== 'number' || !Number.isInteger(openings) || openings < 0)
    throw refused('a whole number of openings');
  if (openUntil !== null && (typeof openUntil !== 'number' || !Number.isFinite(openUntil))) {
    throw refused('a time or null as openUntil');
  }
  return { version, state: known, openings, openUntil, rule };
}

function refused(expected: string): ConfigError {
  return new ConfigError('breaker.restore', [`Expected ${expected}. Give what \`breaker.toJSON()\` gave.`]);
}
