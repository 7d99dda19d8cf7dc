/**
 * What Keelson does with a variable.
 * - `honoured`: the variable does what the specification says
 * - `mapped`: the variable does what its `effect` says, which differs from the specification
 * - `refused`: the variable does nothing, and one warning says so if it is set
 */
export type EnvironmentAnswer = 'honoured' | 'mapped' | 'refused';

/** One environment variable, and what Keelson does with it. */
export interface EnvironmentRow {
  readonly name: string;
  readonly answer: EnvironmentAnswer;
  /** What the variable does, or why it does nothing. */
  readonly effect: string;
}

const row = (name: string, answer: EnvironmentAnswer, effect: string): EnvironmentRow => ({
  name,
  answer,
  effect,
});

const SIGNALS = ['', 'TRACES_', 'METRICS_', 'LOGS_'] as const;

const perSignal = (suffix: string, answer: EnvironmentAnswer, effect: string): EnvironmentRow[] =>
  SIGNALS.map((signal) => row(`OTEL_EXPORTER_OTLP_${signal}${suffix}`, answer, effect));

/**
 * Every variable of OpenTelemetry's specification (opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables and
 * .../protocol/exporter, as of 1.60) and of its Node packages, with the answer that Keelson gives. The table in environment.md and the tests come
 * from this list.
 */
export const ENVIRONMENT: readonly EnvironmentRow[] = [
  row('OTEL_SDK_DISABLED', 'honoured', '`true` starts nothing but the logger and the propagators'),
  row('OTEL_RESOURCE_ATTRIBUTES', 'honoured', 'added to the resource; options in code win'),
  row('OTEL_SERVICE_NAME', 'honoured', '`service.name`; wins over `OTEL_RESOURCE_ATTRIBUTES`'),
  row('OTEL_ENTITIES', 'refused', 'in development in the specification; use `OTEL_RESOURCE_ATTRIBUTES`'),
  row('OTEL_LOG_LEVEL', 'mapped', "level of the SDK's own messages on standard error, default `warn`"),
  row('OTEL_PROPAGATORS', 'mapped', '`tracecontext`, `baggage`, `none`; others are left out with a warning'),
  row('OTEL_TRACES_SAMPLER', 'mapped', 'all but `jaeger_remote`, `parentbased_jaeger_remote` and `xray`'),
  row('OTEL_TRACES_SAMPLER_ARG', 'honoured', 'ratio of the `traceidratio` samplers'),
  row('OTEL_TRACES_EXPORTER', 'mapped', '`otlp` (default), `console`, `none`'),
  row('OTEL_METRICS_EXPORTER', 'mapped', '`otlp,prometheus` (default), `console`, `none`'),
  row('OTEL_LOGS_EXPORTER', 'mapped', '`otlp` (default), `console`, `none`'),
  row('OTEL_BSP_SCHEDULE_DELAY', 'honoured', 'milliseconds between two batches of spans, default 5000'),
  row(
    'OTEL_BSP_EXPORT_TIMEOUT',
    'refused',
    'batches are taken at once; `OTEL_EXPORTER_OTLP_TIMEOUT` bounds each request',
  ),
  row(
    'OTEL_BSP_MAX_QUEUE_SIZE',
    'honoured',
    'spans that wait at most, default 2048; a batch is never larger',
  ),
  row(
    'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    'honoured',
    'spans, default 512; a full batch goes on at once, so that a burst drops nothing',
  ),
  row(
    'OTEL_BLRP_SCHEDULE_DELAY',
    'honoured',
    'milliseconds between two batches of log records, default 1000',
  ),
  row(
    'OTEL_BLRP_EXPORT_TIMEOUT',
    'refused',
    'batches are taken at once; `OTEL_EXPORTER_OTLP_TIMEOUT` bounds each request',
  ),
  row(
    'OTEL_BLRP_MAX_QUEUE_SIZE',
    'honoured',
    'log records that wait at most, default 2048; a batch is never larger',
  ),
  row(
    'OTEL_BLRP_MAX_EXPORT_BATCH_SIZE',
    'honoured',
    'log records, default 512; a full batch goes on at once, so that a burst drops nothing',
  ),
  row('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'honoured', 'for spans and log records'),
  row('OTEL_ATTRIBUTE_COUNT_LIMIT', 'honoured', 'for spans and log records, default 128'),
  row('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'honoured', 'for spans; wins over the general limit'),
  row('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'honoured', 'for spans; wins over the general limit'),
  row('OTEL_SPAN_EVENT_COUNT_LIMIT', 'honoured', 'default 128'),
  row('OTEL_SPAN_LINK_COUNT_LIMIT', 'honoured', 'default 128'),
  row('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', 'honoured', 'default 128'),
  row('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', 'honoured', 'default 128'),
  row(
    'OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT',
    'honoured',
    'for log records; wins over the general limit',
  ),
  row('OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT', 'honoured', 'for log records; wins over the general limit'),
  row('OTEL_METRIC_EXPORT_INTERVAL', 'honoured', 'milliseconds, default 60000'),
  row('OTEL_METRIC_EXPORT_TIMEOUT', 'honoured', 'milliseconds, default 30000; never above the interval'),
  row(
    'OTEL_METRICS_EXEMPLAR_FILTER',
    'mapped',
    '`trace_based` (default), `always_off`; `always_on` is the same as the first: only sampled calls have a trace to show',
  ),
  ...perSignal('ENDPOINT', 'honoured', 'default `http://localhost:4318` and the path of the signal'),
  ...perSignal('HEADERS', 'honoured', '`key=value` pairs, percent-encoded'),
  ...perSignal('TIMEOUT', 'honoured', 'milliseconds for each attempt, default 10000'),
  ...perSignal('COMPRESSION', 'honoured', '`gzip` or `none` (default)'),
  ...perSignal('CERTIFICATE', 'honoured', 'file with the certificates to trust'),
  ...perSignal('CLIENT_KEY', 'honoured', "file with the client's key"),
  ...perSignal('CLIENT_CERTIFICATE', 'honoured', "file with the client's certificate"),
  ...perSignal(
    'PROTOCOL',
    'mapped',
    'always `http/json`: `http/protobuf` goes to the same endpoint as JSON, `grpc` is left out with a warning',
  ),
  ...perSignal('INSECURE', 'refused', 'for gRPC only; the scheme of the endpoint decides'),
  row('OTEL_EXPORTER_OTLP_SPAN_INSECURE', 'refused', 'obsolete; the scheme of the endpoint decides'),
  row('OTEL_EXPORTER_OTLP_METRIC_INSECURE', 'refused', 'obsolete; the scheme of the endpoint decides'),
  row(
    'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE',
    'honoured',
    '`cumulative` (default), `delta`, `lowmemory`; the last two with a warning, since Prometheus drops them',
  ),
  row(
    'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION',
    'honoured',
    '`explicit_bucket_histogram` (default) or `base2_exponential_bucket_histogram`, for OTLP and the files',
  ),
  row('OTEL_EXPORTER_PROMETHEUS_HOST', 'honoured', 'default `127.0.0.1`'),
  row('OTEL_EXPORTER_PROMETHEUS_PORT', 'honoured', 'default 9464; 0 takes any free port'),
  row('OTEL_EXPORTER_ZIPKIN_ENDPOINT', 'refused', 'there is no Zipkin exporter; use the Collector'),
  row('OTEL_EXPORTER_ZIPKIN_TIMEOUT', 'refused', 'there is no Zipkin exporter; use the Collector'),
  row('OTEL_CONFIG_FILE', 'refused', 'declarative configuration is not read; use variables or options'),
  row(
    'OTEL_EXPERIMENTAL_CONFIG_FILE',
    'refused',
    'declarative configuration is not read; use variables or options',
  ),
  row(
    'OTEL_NODE_RESOURCE_DETECTORS',
    'mapped',
    '`env`, `host`, `os`, `process`, `serviceinstance`, `all`, `none`',
  ),
  row(
    'OTEL_NODE_ENABLED_INSTRUMENTATIONS',
    'honoured',
    '`http`, `undici`, and `pg` for `@opentelemetry/instrumentation-pg`, ...; nothing else is on then; read by `keelson/register`',
  ),
  row('OTEL_NODE_DISABLED_INSTRUMENTATIONS', 'honoured', 'as above; wins over it'),
  row(
    'OTEL_NODE_EXPERIMENTAL_SDK_METRICS',
    'refused',
    '`keelson.telemetry.exported` and `.dropped` tell the same',
  ),
  row('OTEL_SEMCONV_STABILITY_OPT_IN', 'refused', 'the instrumentations follow the stable conventions only'),
  row('KEELSON_HOME', 'honoured', 'folder for everything on disk, default `./.keelson`'),
  row('KEELSON_TELEMETRY_FILES', 'honoured', '`false` switches the OTLP JSON lines off'),
];
