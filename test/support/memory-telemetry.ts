import type { Attributes } from '@opentelemetry/api';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan, Sampler } from '@opentelemetry/sdk-trace';
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

class PullReader extends MetricReader {
  override async onForceFlush(): Promise<void> {}
  override async onShutdown(): Promise<void> {}
}

/** One data point of a metric. */
export interface Point {
  readonly attributes: Attributes;
  readonly value: unknown;
}

/** A whole SDK that keeps everything in memory. */
export interface MemoryTelemetry {
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  readonly loggerProvider: LoggerProvider;
  spans(): ReadableSpan[];
  logRecords(): ReadableLogRecord[];
  /** The points of a metric now; empty where it has none. */
  points(metric: string): Promise<Point[]>;
  /** Every metric name that has points now. */
  metricNames(): Promise<string[]>;
}

export function memoryTelemetry(sampler: Sampler = new AlwaysOnSampler()): MemoryTelemetry {
  const spanExporter = new InMemorySpanExporter();
  const logExporter = new InMemoryLogRecordExporter();
  const reader = new PullReader();
  const meterProvider = new MeterProvider({ readers: [reader] });
  const collect = async (): Promise<{ name: string; points: Point[] }[]> => {
    const { resourceMetrics } = await reader.collect();
    return resourceMetrics.scopeMetrics
      .flatMap((scope) => scope.metrics)
      .map((metric) => ({ name: metric.descriptor.name, points: metric.dataPoints }));
  };
  return {
    tracerProvider: new TracerProvider({
      sampler,
      spanProcessors: [new SimpleSpanProcessor({ exporter: spanExporter })],
    }),
    meterProvider,
    loggerProvider: new LoggerProvider({
      processors: [new SimpleLogRecordProcessor({ exporter: logExporter })],
    }),
    spans: () => spanExporter.getFinishedSpans(),
    logRecords: () => logExporter.getFinishedLogRecords(),
    points: async (metric) => (await collect()).find(({ name }) => name === metric)?.points ?? [],
    metricNames: async () =>
      (await collect()).filter(({ points }) => points.length > 0).map(({ name }) => name),
  };
}

/** Installs a context manager for the process. @returns a function that removes it */
export function installContextManager(): () => void {
  const manager = new AsyncLocalStorageContextManager();
  manager.enable();
  context.setGlobalContextManager(manager);
  return () => context.disable();
}

/** The value of the one point with these attributes. */
export function valueOf(points: readonly Point[], attributes: Attributes): unknown {
  const wanted = Object.entries(attributes);
  const matching = points.filter((point) => wanted.every(([key, value]) => point.attributes[key] === value));
  if (matching.length !== 1) throw new Error(`${matching.length} points match ${JSON.stringify(attributes)}`);
  return matching[0]?.value;
}
