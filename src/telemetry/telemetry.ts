import type { Logger } from 'winston';
import type { Duration } from '../core/time/duration.ts';
import type { TelemetryStats } from './counts.ts';

/** The telemetry of a process, from start to shutdown. */
export interface Telemetry {
  /**
   * - `running`
   * - `disabled`: by `OTEL_SDK_DISABLED`; only the logger works
   * - `foreign`: another SDK was registered first and stays in force; only the logger works
   */
  readonly mode: 'running' | 'disabled' | 'foreign';
  /** A winston logger that adds the trace of the call to each line and takes secrets out. It is made at first use. */
  readonly logger: Logger;
  /** The absolute path of the folder for everything on disk. */
  readonly home: string;
  /** Settles once the Prometheus endpoint listens, or has failed to. Never rejects. */
  readonly ready: Promise<void>;
  /** The endpoint that Prometheus scrapes. `undefined` while it does not listen. */
  readonly prometheus: { readonly url: string } | undefined;
  /** @returns what became of the telemetry so far; a copy */
  stats(): TelemetryStats;
  /**
   * Sends what waits. Spans and log records are in the files when the call returns, before its promise settles.
   * @param deadline how long the promise may take. @defaultValue 5s
   * @returns a promise that never rejects. What a receiver did not take by then goes on waiting
   */
  forceFlush(deadline?: Duration): Promise<void>;
  /**
   * For `exit` listeners, in which nothing asynchronous runs any more. `keelson/register` calls it.
   * Before it returns, it writes the spans and log records that wait to the files, saves what was delivered, and releases the home to the next process.
   * From then on each span and log record is written as it comes. If the process goes on after all, batches are collected again.
   * It does not write metrics since the last push, since reading them takes a turn of the event loop.
   */
  flushOnExit(): void;
  /**
   * Sends what waits, stops everything, and takes the SDK out of the API, so that a later start begins afresh.
   * @param deadline how long the promise may take. What is then neither sent nor on disk counts as lost. @defaultValue 5s
   * @returns a promise that never rejects; the same one at each further call
   */
  shutdown(deadline?: Duration): Promise<void>;
  /** The same as `shutdown()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
