import type { Entry } from './entry.ts';

/** How a load ended with a value: its own, that of the second tier, or the one that stood in. */
export interface Arrival {
  readonly result: 'miss' | 'hit' | 'stale' | 'stale_error';
  readonly value: unknown;
  readonly ageMs: number;
  readonly error: unknown;
}

/** Where the value of each kind of arrival came from. */
export const ORIGIN_OF: Readonly<Record<Arrival['result'], 'live' | 'cache' | 'stale'>> = {
  miss: 'live',
  hit: 'cache',
  stale: 'stale',
  stale_error: 'stale',
};

/** An arrival with the value of an entry. */
export function arrivalOf(result: Arrival['result'], entry: Entry, now: number): Arrival {
  return { result, value: entry.value, ageMs: ageOf(entry, now), error: entry.error };
}

/** Milliseconds since the value of an entry was loaded. */
export function ageOf(entry: Entry, now: number): number {
  return Math.max(0, now - entry.storedAt);
}
