import { deepStrictEqual } from 'node:assert';
import type { Attributes } from '@opentelemetry/api';
import { context, logs, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { ConfigError } from '../core/errors.ts';
import { withoutEndedSeries } from '../telemetry/otlp/encode/index.ts';
import type { ExpectedCall } from './expected-call.ts';
import {
  callsLike,
  checkExpected,
  describeCalls,
  guardedCalls,
  unexpected,
  valueOf,
} from './expected-call.ts';
import type { Point, RecordedTelemetry, RecordOptions } from './recorded-telemetry.ts';

class PullReader extends MetricReader {
  override async onForceFlush(): Promise<void> {}
  override async onShutdown(): Promise<void> {}
}

/** Builds what `recordTelemetry` gives. Importing this file loads the SDK. */
export function buildRecorder({ sampler = new AlwaysOnSampler() }: RecordOptions = {}): RecordedTelemetry {
  const spanExporter = new InMemorySpanExporter();
  const logExporter = new InMemoryLogRecordExporter();
  const reader = new PullReader();
  const meterProvider = new MeterProvider({ readers: [reader] });
  const spanProcessors = [new SimpleSpanProcessor({ exporter: spanExporter })];
  const tracerProvider = new TracerProvider({ sampler, spanProcessors });
  const processors = [new SimpleLogRecordProcessor({ exporter: logExporter })];
  const loggerProvider = new LoggerProvider({ processors });
  const spans = (): ReadableSpan[] => spanExporter.getFinishedSpans();
  const logRecords = (): ReadableLogRecord[] => logExporter.getFinishedLogRecords();
  const collect = async (): Promise<{ name: string; points: Point[] }[]> => {
    const { resourceMetrics } = await reader.collect();
    return withoutEndedSeries(resourceMetrics)
      .scopeMetrics.flatMap((scope) => scope.metrics)
      .map((metric) => ({ name: metric.descriptor.name, points: metric.dataPoints }));
  };
  const points = async (metric: string): Promise<Point[]> =>
    (await collect()).find(({ name }) => name === metric)?.points ?? [];
  const value = async (metric: string, attributes: Attributes = {}): Promise<unknown> =>
    valueOf(await points(metric), attributes, metric);

  function expectCalls(count: number, expected: ExpectedCall = {}): ReadableSpan[] {
    checkExpected(expected);
    const calls = guardedCalls(spans());
    const found = callsLike(calls, expected);
    if (found.length === count) return found;
    const wanted = `${count} ${count === 1 ? 'call' : 'calls'} like ${JSON.stringify(expected)}`;
    throw unexpected(`Expected ${wanted}, got ${found.length}. ${describeCalls(calls)}`, found.length, count);
  }

  function expectLog(eventName: string, attributes: Attributes = {}): ReadableLogRecord {
    const wanted = Object.entries(attributes);
    const found = logRecords().filter(
      (record) =>
        record.eventName === eventName && wanted.every(([key, one]) => record.attributes[key] === one),
    );
    const [only] = found;
    if (only && found.length === 1) return only;
    const all = logRecords().map((record) => `\n  ${record.eventName} ${JSON.stringify(record.attributes)}`);
    const what = `one log record ${eventName} with ${JSON.stringify(attributes)}`;
    throw unexpected(
      `Expected ${what}, got ${found.length}. Recorded: ${all.join('') || 'none'}`,
      found.length,
      1,
    );
  }

  return {
    tracerProvider,
    meterProvider,
    loggerProvider,
    spans,
    logRecords,
    points,
    value,
    expectCalls,
    expectLog,
    install() {
      if (!trace.setGlobalTracerProvider(tracerProvider)) throw alreadyInstalled();
      if (!metrics.setGlobalMeterProvider(meterProvider)) {
        trace.disable();
        throw alreadyInstalled();
      }
      logs.setGlobalLoggerProvider(loggerProvider);
      const removeContextManager = installContextManager();
      let isInstalled = true;
      return () => {
        if (!isInstalled) return;
        isInstalled = false;
        removeContextManager();
        trace.disable();
        metrics.disable();
        logs.disable();
      };
    },
    metricNames: async () =>
      (await collect()).filter((metric) => metric.points.length > 0).map(({ name }) => name),
    expectCall(expected) {
      const [span] = expectCalls(1, expected);
      if (!span) throw unexpected('Expected one call, got none.', 0, 1);
      return span;
    },
    async expectValue(metric, attributes, expected) {
      deepStrictEqual(await value(metric, attributes), expected);
    },
  };
}

/** OpenTelemetry ignores a second SDK, so that the recorder would record nothing. */
function alreadyInstalled(): ConfigError {
  return new ConfigError('recordTelemetry', [
    'Expected no SDK in the process at `install()`, got a second one. Nothing was installed. Call the function that the first `install()` gave, or shut the other SDK down.',
  ]);
}

/** Lets spans know their parents across `await`, as an SDK does. @returns a function that takes it away */
export function installContextManager(): () => void {
  const manager = new AsyncLocalStorageContextManager();
  manager.enable();
  context.setGlobalContextManager(manager);
  return () => context.disable();
}
