import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { systemClock } from '../src/core/time/clock.ts';
import { setExemplarPort } from '../src/signals/index.ts';
import { ExemplarStore } from '../src/telemetry/otlp/encode/exemplar-store.ts';

class PullReader extends MetricReader {
  override async onForceFlush(): Promise<void> {}
  override async onShutdown(): Promise<void> {}
}

/** Registers an SDK that records every span and metric and throws the spans away at export. */
export function startSdk(readers = 1): void {
  const manager = new AsyncLocalStorageContextManager();
  manager.enable();
  context.setGlobalContextManager(manager);
  const exporter = {
    export: (_spans: unknown, done: (result: { code: number }) => void) => done({ code: 0 }),
    shutdown: async () => {},
    forceFlush: async () => {},
  };
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: 1_000_000,
    maxExportBatchSize: 512,
    scheduledDelayMillis: 50,
  });
  trace.setGlobalTracerProvider(
    new TracerProvider({
      sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
      spanProcessors: [processor],
    }),
  );
  metrics.setGlobalMeterProvider(
    new MeterProvider({ readers: Array.from({ length: readers }, () => new PullReader()) }),
  );
}

/** Runs every call under a parent span that is not sampled. */
export function underUnsampledParent<T>(call: () => Promise<T>): () => Promise<T> {
  const spanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 0 };
  const parent = trace.setSpanContext(context.active(), spanContext);
  return () => context.with(parent, call);
}

/** Registers the same, and keeps exemplars as `startTelemetry` does. */
export function startSdkWithExemplars(): void {
  startSdk();
  setExemplarPort(new ExemplarStore(metrics.getMeterProvider(), systemClock));
}

/** The telemetry that people write by hand around a policy: a span, a histogram and a counter for each call. */
export function instrumented<T>(execute: () => Promise<T>): () => Promise<T> {
  const tracer = trace.getTracer('bench');
  const meter = metrics.getMeter('bench');
  const duration = meter.createHistogram('op.duration', { unit: 's' });
  const calls = meter.createCounter('op.calls', { unit: '{call}' });
  const attributes = { 'pipeline.name': 'payments', 'operation.name': 'charge', outcome: 'success' };
  return () =>
    tracer.startActiveSpan('payments charge', { attributes }, async (span) => {
      const startedAt = performance.now();
      try {
        return await execute();
      } finally {
        span.end();
        duration.record((performance.now() - startedAt) / 1_000, attributes);
        calls.add(1, attributes);
      }
    });
}
