import type { Attributes } from '@opentelemetry/api';
import type { LoggerProvider, ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan, Sampler, TracerProvider } from '@opentelemetry/sdk-trace';
import type { ExpectedCall } from './expected-call.ts';

/** One data point of a metric. */
export interface Point {
  readonly attributes: Attributes;
  readonly value: unknown;
}

/** What the telemetry is recorded with. */
export interface RecordOptions {
  /** @defaultValue every span is recorded */
  readonly sampler?: Sampler;
}

/** A whole OpenTelemetry SDK that keeps everything in memory. Give its providers to `createKeelson`, or {@link install} it. */
export interface RecordedTelemetry {
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  readonly loggerProvider: LoggerProvider;
  /**
   * Makes the providers those of the process, and adds a context manager.
   * @returns a function that takes all of it away; it does nothing the second time
   * @throws {ConfigError} if the process has an SDK already: OpenTelemetry would ignore this one, and nothing would be recorded
   */
  install(): () => void;
  /** The spans that have ended, in that order. */
  spans(): ReadableSpan[];
  /** The log records, in the order in which they were written. */
  logRecords(): ReadableLogRecord[];
  /** The points of a metric now; empty if it has none. */
  points(metric: string): Promise<Point[]>;
  /**
   * The value of the one point of a metric that has these attributes among its own.
   * @throws {AssertionError} that lists the points if there is not exactly one
   */
  value(metric: string, attributes?: Attributes): Promise<unknown>;
  /** Every metric name that has points now. */
  metricNames(): Promise<string[]>;
  /**
   * Expects that exactly one guarded call that has ended is like this.
   * @returns its span
   * @throws {AssertionError} that lists the calls that there were; `ConfigError` for a misspelt field
   */
  expectCall(expected: ExpectedCall): ReadableSpan;
  /**
   * Expects `count` guarded calls like this among those that have ended: 0 for none.
   * @returns their spans
   * @throws {AssertionError} that lists the calls that there were; `ConfigError` for a misspelt field
   */
  expectCalls(count: number, expected?: ExpectedCall): ReadableSpan[];
  /**
   * Expects exactly one log record of this event with these attributes among its own.
   * @throws {AssertionError} that lists the events that there were
   */
  expectLog(eventName: string, attributes?: Attributes): ReadableLogRecord;
  /**
   * Expects this value of a metric; attributes as for {@link value}.
   * @throws {AssertionError} that shows both values
   */
  expectValue(metric: string, attributes: Attributes, value: unknown): Promise<void>;
}
