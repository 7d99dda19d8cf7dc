import type { Telemetry } from './telemetry.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const DEADLINE_MS = 3_000;

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
 * - A signal that the application listens to: what waits is sent, and nothing else; the application decides.
 * - A signal that nobody else listens to (`signal-exit` only watches, and does not count): what waits is sent within a deadline (3 s), then the signal is raised again, so that the process ends by
 *   it as it would have. A second signal meanwhile ends it at once.
 * - The loop runs empty: what waits is sent once.
 * - `process.exit()`: spans that wait are written to the files, synchronously.
 */
export function endWithProcess(
  telemetry: Pick<Telemetry, 'forceFlush' | 'shutdown'>,
  host: EndingProcess,
): void {
  for (const signal of SIGNALS) {
    let ending = false;
    const listener = (): void => {
      if (host.listenerCount(signal) > 1 + watchingListeners()) {
        void telemetry.forceFlush(DEADLINE_MS);
        return;
      }
      const raise = (): void => {
        host.off(signal, listener);
        host.kill(host.pid, signal);
      };
      if (ending) {
        raise();
        return;
      }
      ending = true;
      void telemetry.shutdown(DEADLINE_MS).then(raise);
    };
    host.on(signal, listener);
  }
  host.once('beforeExit', () => void telemetry.forceFlush(DEADLINE_MS));
  host.once('exit', () => void telemetry.forceFlush(1));
}
