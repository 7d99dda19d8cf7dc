import type { Clock } from '../../core/time/clock.ts';
import type { Telemetry } from '../telemetry.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const DEADLINE_MS = 3_000;
/** How often to flush while the application drains its connections after a signal. */
const DRAIN_FLUSH_MS = 500;
/** How long to keep doing that. Kubernetes kills a pod 30 s after SIGTERM; an application that is still up by then has decided to stay. */
const DRAIN_MS = 30_000;
/** How long to wait after raising a signal again. A process that still runs by then is not ended by that signal. */
const OUTLIVED_MS = 1_000;

/** The part of `process` that {@link endWithProcess} uses. */
export type EndingProcess = Pick<NodeJS.Process, 'pid' | 'on' | 'off' | 'once' | 'listenerCount' | 'kill'>;

/** The number of listeners that a copy of `signal-exit` counts; 0 if `emitter` is no such copy. */
function countOf(emitter: unknown): number {
  const count: unknown =
    typeof emitter === 'object' && emitter !== null ? Reflect.get(emitter, 'count') : undefined;
  return typeof count === 'number' ? count : 0;
}

/**
 * The number of listeners that only watch: those of `signal-exit` (4 and 3), which many packages load. If they are the only listeners, they end the
 * process by the signal; otherwise they do nothing. If Keelson took them for the application's, no signal would end the process.
 */
function watchingListeners(): number {
  return (
    countOf(Reflect.get(globalThis, Symbol.for('signal-exit emitter'))) +
    countOf(Reflect.get(process, '__signal_exit_emitter__'))
  );
}

/**
 * Sends what waits before the process ends. The application decides how it ends.
 * - A signal that the application listens to: Keelson sends what waits at once, and every 0.5 s for 30 s while the application drains.
 * - A signal that nobody else listens to (`signal-exit` only watches, and does not count): Keelson sends what waits within 3 s, releases the home, and
 *   raises the signal again, so that the process ends by it. A second signal meanwhile, of either kind, ends the process at once.
 *   Init of a container (process 1) outlives that, as it does without Keelson, and goes on.
 * - The event loop has nothing left to do: Keelson sends what waits once.
 * - `process.exit()` or an exception: Keelson writes the spans and log records that wait to the files, synchronously.
 * @returns a function that takes its listeners away again
 */
export function endWithProcess(
  telemetry: Pick<Telemetry, 'forceFlush' | 'flushOnExit'>,
  host: EndingProcess,
  clock: Clock,
): () => void {
  const removals: (() => void)[] = [];
  let ending = false;
  let flushing = false;

  const flushUntil = async (end: number): Promise<void> => {
    await telemetry.forceFlush(DEADLINE_MS);
    if (clock.now() >= end) {
      flushing = false;
      return;
    }
    clock.setTimer(() => void flushUntil(end), DRAIN_FLUSH_MS).unref();
  };

  for (const signal of SIGNALS) {
    const raise = (): void => {
      // Writes what ended since the flush, and releases the home: no `exit` event follows a signal.
      telemetry.flushOnExit();
      host.off(signal, listener);
      host.kill(host.pid, signal);
      // Only init of a container is still here then: the kernel lets no default action end it.
      const goOn = (): void => {
        ending = false;
        host.on(signal, listener);
      };
      clock.setTimer(goOn, OUTLIVED_MS).unref();
    };
    const flushThenRaise = async (): Promise<void> => {
      await telemetry.forceFlush(DEADLINE_MS);
      // If this is false, a second signal has raised it already.
      if (ending) raise();
    };
    const listener = (): void => {
      if (host.listenerCount(signal) > 1 + watchingListeners()) {
        if (flushing) return;
        flushing = true;
        void flushUntil(clock.now() + DRAIN_MS);
        return;
      }
      if (ending) {
        raise();
        return;
      }
      ending = true;
      void flushThenRaise();
    };
    host.on(signal, listener);
    removals.push(() => host.off(signal, listener));
  }
  const beforeExit = (): void => void telemetry.forceFlush(DEADLINE_MS);
  const exit = (): void => telemetry.flushOnExit();
  host.once('beforeExit', beforeExit);
  host.once('exit', exit);
  return () => {
    for (const remove of removals) remove();
    host.off('beforeExit', beforeExit);
    host.off('exit', exit);
  };
}
