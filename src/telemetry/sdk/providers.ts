import type { TextMapPropagator } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import { LoggerProvider } from '@opentelemetry/sdk-logs';
import type { LogRecordProcessor, ReadableLogRecord } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  AggregationType,
  InstrumentType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type {
  AggregationOption,
  IMetricReader,
  PushMetricExporter,
  ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { ReadableSpan, Sampler, SpanProcessor } from '@opentelemetry/sdk-trace';
import { errorName } from '../../core/error-name.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { BatchSettings, EnvironmentSettings } from '../environment/index.ts';
import type { Warn } from '../warnings/warner.ts';
import { BatchQueue, logRecordProcessor, spanProcessor } from './batch-queue.ts';
import type { BatchExporter } from './batch-queue.ts';
import { JournalExporter } from './journal-exporter.ts';
import type { ExporterParts } from './journal-exporter.ts';

/** Makes the sampler that the variables name. */
export function makeSampler({ name, ratio }: EnvironmentSettings['sampler']): Sampler {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }
}

/** Makes the propagator that the variables name. */
export function makePropagator(names: EnvironmentSettings['propagators']): TextMapPropagator {
  return new CompositePropagator({
    propagators: names.map((name) =>
      name === 'baggage' ? new W3CBaggagePropagator() : new W3CTraceContextPropagator(),
    ),
  });
}

class MetricExporter extends JournalExporter<ResourceMetrics> implements PushMetricExporter {
  readonly #settings: Pick<EnvironmentSettings, 'temporality' | 'histogram'>;

  constructor(
    parts: ExporterParts<ResourceMetrics>,
    settings: Pick<EnvironmentSettings, 'temporality' | 'histogram'>,
  ) {
    super(parts);
    this.#settings = settings;
  }

  selectAggregation(type: InstrumentType): AggregationOption {
    return type === InstrumentType.HISTOGRAM &&
      this.#settings.histogram === 'base2_exponential_bucket_histogram'
      ? { type: AggregationType.EXPONENTIAL_HISTOGRAM }
      : { type: AggregationType.DEFAULT };
  }

  selectAggregationTemporality(type: InstrumentType): AggregationTemporality {
    return temporalityOf(this.#settings.temporality, type);
  }
}

/** The temporality of an instrument under a preference. Source: the specification of the OTLP exporter. */
export function temporalityOf(
  preference: EnvironmentSettings['temporality'],
  type: InstrumentType,
): AggregationTemporality {
  const { CUMULATIVE, DELTA } = AggregationTemporality;
  switch (type) {
    case InstrumentType.COUNTER:
    case InstrumentType.HISTOGRAM:
      return preference === 'cumulative' ? CUMULATIVE : DELTA;
    case InstrumentType.OBSERVABLE_COUNTER:
    case InstrumentType.GAUGE:
    case InstrumentType.OBSERVABLE_GAUGE:
      return preference === 'delta' ? DELTA : CUMULATIVE;
    case InstrumentType.UP_DOWN_COUNTER:
    case InstrumentType.OBSERVABLE_UP_DOWN_COUNTER:
      return CUMULATIVE;
  }
}

/** Wraps a processor of the application: if it throws, Keelson catches that and warns once. */
function isolated<T extends object>(processor: T, warn: Warn): T {
  const caught = (error: unknown): void => {
    warn(
      'processor',
      `A processor passed to startTelemetry throws (${errorName(error)}). Calls go on without it.`,
    );
  };
  return new Proxy(processor, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      return (...values: unknown[]): unknown => {
        try {
          const result: unknown = Reflect.apply(member, target, values);
          return result instanceof Promise ? result.catch(caught) : result;
        } catch (error) {
          caught(error);
          return key === 'forceFlush' || key === 'shutdown' ? Promise.resolve() : undefined;
        }
      };
    },
  });
}

/** What {@link makeProviders} takes. A signal without an exporter goes nowhere. */
export interface ProviderParts {
  readonly resource: Resource;
  readonly settings: EnvironmentSettings;
  readonly metricIntervalMs: number;
  readonly sampler: Sampler;
  readonly traces: ExporterParts<readonly ReadableSpan[]> | undefined;
  readonly logs: ExporterParts<readonly ReadableLogRecord[]> | undefined;
  readonly metrics: ExporterParts<ResourceMetrics> | undefined;
  readonly spanProcessors: readonly SpanProcessor[];
  readonly logRecordProcessors: readonly LogRecordProcessor[];
  readonly metricReaders: readonly IMetricReader[];
  /** Called with the number of items that end after the shutdown. */
  readonly onLate: (signal: 'traces' | 'logs', items: number) => void;
  readonly clock: Clock;
  readonly warn: Warn;
}

/** The SDK's three providers. */
export interface Providers {
  readonly tracer: TracerProvider;
  readonly meter: MeterProvider;
  readonly logger: LoggerProvider;
  /** The queues of spans and log records, which are drained when the process exits. */
  readonly queues: readonly Pick<BatchQueue<never>, 'drainForGood'>[];
}

/** Builds the SDK's providers around the exporters. */
export function makeProviders(parts: ProviderParts): Providers {
  const { resource, settings, warn } = parts;
  const queues: Providers['queues'][number][] = [];
  const queue = <T>(
    signal: 'traces' | 'logs',
    exporter: BatchExporter<T>,
    batch: BatchSettings,
  ): BatchQueue<T> => {
    const onLost = (items: number): void => parts.onLate(signal, items);
    const made = new BatchQueue({ exporter, settings: batch, clock: parts.clock, onLost });
    queues.push(made);
    return made;
  };
  const spanProcessors = parts.spanProcessors.map((processor) => isolated(processor, warn));
  if (parts.traces) {
    const exporter = new JournalExporter(parts.traces);
    spanProcessors.push(spanProcessor(queue('traces', exporter, settings.spanBatch)));
  }
  const processors = parts.logRecordProcessors.map((processor) => isolated(processor, warn));
  if (parts.logs) {
    const exporter = new JournalExporter(parts.logs);
    processors.push(logRecordProcessor(queue('logs', exporter, settings.logBatch)));
  }
  const readers = [...parts.metricReaders];
  if (parts.metrics) {
    readers.push(
      new PeriodicExportingMetricReader({
        exporter: new MetricExporter(parts.metrics, settings),
        exportIntervalMillis: parts.metricIntervalMs,
        exportTimeoutMillis: Math.min(parts.metricIntervalMs, settings.metricTimeoutMs),
      }),
    );
  }
  return {
    queues,
    tracer: new TracerProvider({
      resource,
      sampler: parts.sampler,
      spanLimits: settings.spanLimits,
      spanProcessors,
    }),
    meter: new MeterProvider({ resource, readers }),
    logger: new LoggerProvider({ resource, processors, logRecordLimits: settings.logLimits }),
  };
}
