import type { Logger } from 'winston';
import type { Duration } from '../core/duration.ts';
import type { TelemetryStats } from './counts.ts';

/** The telemetry of a process, from start to shutdown. */
export interface Telemetry {
  /**
   * `running`; `disabled` by `OTEL_SDK_DISABLED`; `foreign` where another SDK was registered first and stays in force. In the last two only
   * the logger works.
   */
  readonly mode: 'running' | 'disabled' | 'foreign';
  /** Winston, with the trace of the call in each line and secrets taken out. Made at first use. */
  readonly logger: Logger;
  /** Absolute path of the folder for everything on disk. */
  readonly home: string;
  /** Settles when the Prometheus endpoint listens or is known not to; never rejects. */
  readonly ready: Promise<void>;
  /** The endpoint that Prometheus scrapes; `undefined` while there is none. */
  readonly prometheus: { readonly url: string } | undefined;
  /** What became of the telemetry so far. */
  stats(): TelemetryStats;
  /**
   * Sends and writes what waits; spans and log records are in the files when it returns, before its promise settles.
   * @param deadline at most this long. @defaultValue 5s
   * @returns a promise that never rejects; what a receiver that is away did not take goes on waiting
   */
  forceFlush(deadline?: Duration): Promise<void>;
  /**
   * For `exit` listeners, where nothing asynchronous happens any more: writes the spans and log records that wait to the files before it returns,
   * and from then on each one as it comes, until the process turns out to go on. Metrics since the last push are not part of it: reading them takes a turn of the event loop.
   * Saves what was delivered and lets go of the home, for the next process. `keelson/register` calls it.
   */
  flushOnExit(): void;
  /**
   * Flushes, stops everything and takes the SDK out of the API, so that a later start begins afresh. Calling it again gives the same promise.
   * @param deadline at most this long; what is left then is counted as lost. @defaultValue 5s
   * @returns a promise that never rejects
   */
  shutdown(deadline?: Duration): Promise<void>;
  /** The same as `shutdown()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
