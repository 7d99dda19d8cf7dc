import type { BreakerState } from '../../core/events.ts';
import type { Breaker } from './breaker.ts';
import type { SavedBreaker } from './saved.ts';
import { NOTHING_SAVED } from './saved.ts';

/** A circuit breaker as its users see it: its state, and what can be done by hand. */
export interface BreakerHandle {
  /** The state of the circuit. `disabled` also if `guard.update()` has taken the breaker away. */
  readonly state: BreakerState;
  /** Milliseconds until the open circuit lets a trial through; `undefined` in any other state. */
  readonly retryAfterMs: number | undefined;
  /** Opens the circuit until {@link BreakerHandle.reset}. */
  forceOpen(): void;
  /** Lets every call through, whatever happens, until {@link BreakerHandle.reset}. */
  disable(): void;
  /** Closes the circuit and forgets what it has counted. */
  reset(): void;
  /** The state as plain JSON, to be kept over a restart. */
  toJSON(): SavedBreaker;
  /**
   * Takes up a state that {@link BreakerHandle.toJSON} gave. A circuit that was half-open is open and due for a trial.
   * @throws {ConfigError} `ERR_KEELSON_CONFIG` for anything else
   */
  restore(saved: unknown): void;
}

/**
 * Makes the handle of a breaker.
 * @param current gives the breaker in force: a guard that is updated may have another one, or none, from then on
 */
export function breakerHandle(current: () => Breaker | undefined): BreakerHandle {
  return {
    get state() {
      return current()?.state ?? 'disabled';
    },
    get retryAfterMs() {
      return current()?.retryAfterMs;
    },
    forceOpen: () => current()?.forceOpen(),
    disable: () => current()?.disable(),
    reset: () => current()?.reset(),
    toJSON: () => current()?.toJSON() ?? NOTHING_SAVED,
    restore: (saved) => current()?.restore(saved),
  };
}
