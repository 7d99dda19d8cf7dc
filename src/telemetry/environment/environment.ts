import { parseKeyPairsIntoRecord } from '@opentelemetry/core';
import type { OtlpSettings } from '../otlp/http/index.ts';
import type { Signal } from '../semconv.ts';
import type { Warn } from '../warnings/warner.ts';
import { readOtlp } from './otlp.ts';
import { ENVIRONMENT } from './table.ts';
import { VariableReader } from './variable-reader.ts';
import type { Variables } from './variable-reader.ts';

const EXPORTERS = ['otlp', 'console', 'prometheus', 'none'] as const;
const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
const PROPAGATORS = ['tracecontext', 'baggage', 'none'] as const;
const DETECTORS = ['env', 'host', 'os', 'process', 'serviceinstance'] as const;
const LOG_LEVELS = ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'] as const;
const TEMPORALITIES = ['cumulative', 'delta', 'lowmemory'] as const;
const HISTOGRAMS = ['explicit_bucket_histogram', 'base2_exponential_bucket_histogram'] as const;
const EXEMPLAR_FILTERS = ['trace_based', 'always_on', 'always_off'] as const;
const UNLIMITED = Number.MAX_SAFE_INTEGER;
const MAX_PORT = 65_535;

/** A destination of a signal. */
export type ExporterName = Exclude<(typeof EXPORTERS)[number], 'none'>;
/** A sampler of spans. */
export type SamplerName = (typeof SAMPLERS)[number];
/** A source of resource attributes. */
export type DetectorName = (typeof DETECTORS)[number];
/** A level of the SDK's own messages. */
export type DiagLevel = (typeof LOG_LEVELS)[number];

/** Settings of a batch processor, in milliseconds and items. */
export interface BatchSettings {
  readonly scheduledDelayMillis: number;
  readonly maxExportBatchSize: number;
}

/** The settings of all variables, with defaults for the absent ones. */
export interface EnvironmentSettings {
  readonly disabled: boolean;
  readonly serviceName: string | undefined;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  readonly detectors: readonly DetectorName[];
  readonly diagLevel: DiagLevel;
  readonly propagators: readonly Exclude<(typeof PROPAGATORS)[number], 'none'>[];
  readonly sampler: { readonly name: SamplerName; readonly ratio: number };
  readonly exporters: Readonly<Record<Signal, readonly ExporterName[]>>;
  readonly otlp: Readonly<Record<Signal, OtlpSettings>>;
  readonly spanBatch: BatchSettings;
  readonly logBatch: BatchSettings;
  readonly spanLimits: {
    readonly attributeValueLengthLimit: number;
    readonly attributeCountLimit: number;
    readonly eventCountLimit: number;
    readonly linkCountLimit: number;
    readonly attributePerEventCountLimit: number;
    readonly attributePerLinkCountLimit: number;
  };
  readonly logLimits: { readonly attributeValueLengthLimit: number; readonly attributeCountLimit: number };
  readonly metricIntervalMs: number;
  readonly metricTimeoutMs: number;
  readonly temporality: (typeof TEMPORALITIES)[number];
  readonly histogram: (typeof HISTOGRAMS)[number];
  readonly exemplarFilter: (typeof EXEMPLAR_FILTERS)[number];
  readonly prometheus: { readonly host: string; readonly port: number };
  /** What `keelson/register` instruments: the names in `on` (all that are found if it is `undefined`), except for the names in `off`. */
  readonly instrumentations: {
    readonly enabled: readonly string[] | undefined;
    readonly disabled: readonly string[];
  };
  readonly files: boolean;
}

function readBatch(read: VariableReader, prefix: 'BSP' | 'BLRP', delayMs: number): BatchSettings {
  const maxQueueSize = read.integer(`OTEL_${prefix}_MAX_QUEUE_SIZE`, 1, UNLIMITED) ?? 2_048;
  return {
    scheduledDelayMillis: read.milliseconds(`OTEL_${prefix}_SCHEDULE_DELAY`, 0) ?? delayMs,
    maxExportBatchSize: Math.min(
      maxQueueSize,
      read.integer(`OTEL_${prefix}_MAX_EXPORT_BATCH_SIZE`, 1, UNLIMITED) ?? 512,
    ),
  };
}

function readExporters(
  read: VariableReader,
  name: string,
  allowed: readonly (typeof EXPORTERS)[number][],
  fallback: readonly ExporterName[],
): readonly ExporterName[] {
  const list = read.list(name, allowed);
  if (!list || list.length === 0) return fallback;
  return list.flatMap((each) => (each === 'none' ? [] : [each]));
}

function readLimits(read: VariableReader): Pick<EnvironmentSettings, 'spanLimits' | 'logLimits'> {
  const limit = (name: string): number | undefined => read.integer(name, 0, UNLIMITED);
  const length = limit('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT') ?? Number.POSITIVE_INFINITY;
  const count = limit('OTEL_ATTRIBUTE_COUNT_LIMIT') ?? 128;
  return {
    spanLimits: {
      attributeValueLengthLimit: limit('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT') ?? length,
      attributeCountLimit: limit('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT') ?? count,
      eventCountLimit: limit('OTEL_SPAN_EVENT_COUNT_LIMIT') ?? 128,
      linkCountLimit: limit('OTEL_SPAN_LINK_COUNT_LIMIT') ?? 128,
      attributePerEventCountLimit: limit('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT') ?? 128,
      attributePerLinkCountLimit: limit('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT') ?? 128,
    },
    logLimits: {
      attributeValueLengthLimit: limit('OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT') ?? length,
      attributeCountLimit: limit('OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT') ?? count,
    },
  };
}

function readDetectors(read: VariableReader): readonly DetectorName[] {
  const list = read.list('OTEL_NODE_RESOURCE_DETECTORS', [...DETECTORS, 'all', 'none']);
  if (!list || list.length === 0 || list.includes('all')) return DETECTORS;
  return DETECTORS.filter((name) => list.includes(name));
}

/**
 * Reads the variables of {@link ENVIRONMENT}. If a value cannot be used, the default holds, and one warning says so. A refused variable that is set
 * gives one warning too.
 * @param env the variables; it is not changed
 * @param warn called once for each such variable
 */
export function readEnvironment(env: Variables, warn: Warn): EnvironmentSettings {
  const read = new VariableReader(env, warn);
  for (const { name, answer, effect } of ENVIRONMENT) {
    if (answer === 'refused' && read.text(name) !== undefined) {
      warn(`environment:${name}`, `${name} has no effect: ${effect}.`);
    }
  }
  const metricIntervalMs = read.milliseconds('OTEL_METRIC_EXPORT_INTERVAL', 1) ?? 60_000;
  const temporality =
    read.choice('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', TEMPORALITIES) ?? 'cumulative';
  if (temporality !== 'cumulative') {
    warn(
      'environment:OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE',
      `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=${temporality} is honoured, but Prometheus drops delta points without an error. ` +
        'Use cumulative, or the deltatocumulative processor of the Collector.',
    );
  }
  const propagators = read.list('OTEL_PROPAGATORS', PROPAGATORS) ?? [];
  return {
    disabled: read.boolean('OTEL_SDK_DISABLED') ?? false,
    serviceName: read.text('OTEL_SERVICE_NAME'),
    resourceAttributes: parseKeyPairsIntoRecord(read.text('OTEL_RESOURCE_ATTRIBUTES')),
    detectors: readDetectors(read),
    diagLevel: read.choice('OTEL_LOG_LEVEL', LOG_LEVELS) ?? 'warn',
    propagators:
      propagators.length === 0
        ? ['tracecontext', 'baggage']
        : propagators.flatMap((name) => (name === 'none' ? [] : [name])),
    sampler: {
      name: read.choice('OTEL_TRACES_SAMPLER', SAMPLERS) ?? 'parentbased_always_on',
      ratio: read.number('OTEL_TRACES_SAMPLER_ARG', 0, 1) ?? 1,
    },
    exporters: {
      traces: readExporters(read, 'OTEL_TRACES_EXPORTER', ['otlp', 'console', 'none'], ['otlp']),
      metrics: readExporters(read, 'OTEL_METRICS_EXPORTER', EXPORTERS, ['otlp', 'prometheus']),
      logs: readExporters(read, 'OTEL_LOGS_EXPORTER', ['otlp', 'console', 'none'], ['otlp']),
    },
    otlp: {
      traces: readOtlp(read, 'traces', warn),
      metrics: readOtlp(read, 'metrics', warn),
      logs: readOtlp(read, 'logs', warn),
    },
    spanBatch: readBatch(read, 'BSP', 5_000),
    logBatch: readBatch(read, 'BLRP', 1_000),
    ...readLimits(read),
    metricIntervalMs,
    metricTimeoutMs: Math.min(metricIntervalMs, read.milliseconds('OTEL_METRIC_EXPORT_TIMEOUT', 1) ?? 30_000),
    temporality,
    histogram:
      read.choice('OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION', HISTOGRAMS) ??
      'explicit_bucket_histogram',
    exemplarFilter: read.choice('OTEL_METRICS_EXEMPLAR_FILTER', EXEMPLAR_FILTERS) ?? 'trace_based',
    prometheus: {
      host: read.text('OTEL_EXPORTER_PROMETHEUS_HOST') ?? '127.0.0.1',
      port: read.integer('OTEL_EXPORTER_PROMETHEUS_PORT', 0, MAX_PORT) ?? 9_464,
    },
    instrumentations: {
      enabled: read.names('OTEL_NODE_ENABLED_INSTRUMENTATIONS'),
      disabled: read.names('OTEL_NODE_DISABLED_INSTRUMENTATIONS') ?? [],
    },
    files: read.boolean('KEELSON_TELEMETRY_FILES') ?? true,
  };
}
