import type { Clock } from '../../core/time/clock.ts';

/**
 * Says something on standard error, once for each kind.
 * @param kind what the warning is about; the same kind is not said again for a while
 * @param message a sentence without secrets
 */
export type Warn = (kind: string, message: string) => void;

const QUIET_MS = 600_000;
const MAX_KINDS = 200;

/**
 * Makes a {@link Warn} that says each kind once in ten minutes, with the number of those left out.
 * @param clock tells when a kind may speak again
 * @param write takes whole lines; what it throws is dropped, since there is nowhere left to say it
 */
export function createWarner(clock: Clock, write: (line: string) => void): Warn {
  const kinds = new Map<string, { saidAt: number; leftOut: number }>();
  return (kind, message) => {
    const now = clock.now();
    const known = kinds.get(kind);
    if (known && now - known.saidAt < QUIET_MS) {
      known.leftOut += 1;
      return;
    }
    // Kinds that a caller makes up without end must not grow the table without end.
    if (!known && kinds.size >= MAX_KINDS) return;
    kinds.set(kind, { saidAt: now, leftOut: 0 });
    const more = known && known.leftOut > 0 ? ` (${known.leftOut} more since the last time)` : '';
    try {
      write(`keelson: ${message}${more}\n`);
    } catch {
      // Standard error is gone.
    }
  };
}
