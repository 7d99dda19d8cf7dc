import { errorLine } from '../../core/error-line.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { Warn } from './warner.ts';

/** Warns about a fault of Keelson's own in work that nobody waits for, where it would otherwise end the process. */
export function warnOfFault(warn: Warn, error: unknown): void {
  warn(
    'fault',
    `A task of Keelson's telemetry failed: ${errorLine(error)} The application and the rest of the telemetry go on. Please report this.`,
  );
}

/**
 * A clock whose timers keep what their callbacks throw: an exception in a timer would end the application that is observed.
 * @param clock gives time and timers
 * @param warn takes the warning about what was thrown
 */
export function guardedClock(clock: Clock, warn: Warn): Clock {
  return {
    now: () => clock.now(),
    epoch: () => clock.epoch(),
    setTimer: (callback, delayMs) =>
      clock.setTimer(() => {
        try {
          callback();
        } catch (error) {
          warnOfFault(warn, error);
        }
      }, delayMs),
  };
}
