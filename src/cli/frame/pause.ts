import type { Clock } from '../../core/time/clock.ts';

/**
 * Waits.
 * @param ms milliseconds, 0 to 2^31-1
 * @param signal ends the wait at once
 */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.setTimer(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
