import type { Random } from '../core/random.ts';
import type { Clock } from '../core/time/clock.ts';

/** Where a policy of its own takes the time and random numbers from. Tests give a fake clock. */
export interface PolicyPorts {
  /** @defaultValue the clock of the machine */
  readonly clock?: Clock;
  /** @defaultValue `Math.random` */
  readonly random?: Random;
}

/** Calls `interrupt` with the signal's reason when it aborts. @returns a function that stops listening */
export function onAbort(signal: AbortSignal | undefined, interrupt: (reason: unknown) => void): () => void {
  if (!signal) return () => {};
  const listener = (): void => interrupt(signal.reason);
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

/** Warns of a policy that is used by itself, as a guard warns through its instance. */
export function warnOf(policy: string, message: string): void {
  process.emitWarning(`${policy}: ${message}`, { type: 'KeelsonWarning', code: 'KEELSON_OPTIONS' });
}
