import type { WarnAbout } from '../core/filter.ts';
import type { Random } from '../core/random.ts';
import type { Clock } from '../core/time/clock.ts';
import { WarnOnce } from '../core/warn-once.ts';

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

/** Warns once of each trouble of a policy that is used by itself. */
export function warnerOf(policy: string): WarnAbout {
  const once = new WarnOnce((message) => warnOf(policy, message));
  return (about, message) => once.warn(about, message);
}
