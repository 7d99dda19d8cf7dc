import type { Clock } from '../../core/clock.ts';
import type { Telemetry } from '../telemetry.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const DEADLINE_MS = 3_000;
/** An application that drains its connections after a signal is flushed so often, */
const DRAIN_FLUSH_MS = 500;
/** and for so long: the grace period of Kubernetes. Later it has evidently decided to stay. */
const DRAIN_MS = 30_000;
/** A process that is still here so long after a signal without a listener is not ended by it. */
const OUTLIVED_MS = 1_000;

/** The part of `process` that {@link endWithProcess} uses. */
export type EndingProcess = Pick<NodeJS.Process, 'pid' | 'on' | 'off' | 'once' | 'listenerCount' | 'kill'>;

/** How many listeners of a kind have been counted by a copy of `signal-exit`; 0 for what is none. */
function countOf(emitter: unknown): number {
  const count: unknown =
    typeof emitter === 'object' && emitter !== null ? Reflect.get(emitter, 'count') : undefined;
  return typeof count === 'number' ? count : 0;
}

/**
 * Listeners that only watch: those of `signal-exit` (4 and 3), which many packages load. They end the process by the signal where they are alone,
 * and do nothing where they are not; taken for the application's, they would leave a process that no signal ends.
 */
function watchingListeners(): number {
  return (
    countOf(Reflect.get(globalThis, Symbol.for('signal-exit emitter'))) +
    countOf(Reflect.get(process, '__signal_exit_emitter__'))
  );
}

/**
 * Sends what waits before the process ends, and leaves how it ends to the application.
 * - A signal that the application listens to: what waits is sent at once and, while it drains, every 0.5 s for 30 s; the application decides.
 * - A signal that nobody else listens to (`signal-exit` only watches, and does not count): what waits is sent within a deadline (3 s), then the
 *   home is let go of and the signal raised again, so that the process ends by it as it would have. A second signal meanwhile, of either kind,
 *   ends it at once.
 *   Init of a container (process 1) outlives that, as it does without Keelson, and goes on.
 * - The loop runs empty: what waits is sent once.
 * - `process.exit()`, an exception: spans and log records that wait are written to the files, synchronously.
 */
export function endWithProcess(
  telemetry: Pick<Telemetry, 'forceFlush' | 'flushOnExit'>,
  host: EndingProcess,
  clock: Clock,
): void {
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
      // What ended since the flush is written, and the home let go of: no `exit` event follows a signal.
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
      // A second signal has raised it already where this is false.
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
  }
  host.once('beforeExit', () => void telemetry.forceFlush(DEADLINE_MS));
  host.once('exit', () => telemetry.flushOnExit());
}
