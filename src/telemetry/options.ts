import type { LogRecordProcessor } from '@opentelemetry/sdk-logs';
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import type { Sampler, SpanProcessor } from '@opentelemetry/sdk-trace';
import { NOT_SHOWN, OptionChecker } from '../core/options.ts';
import type { Clock } from '../core/time/clock.ts';
import type { Duration } from '../core/time/duration.ts';
import { DEFAULT_SAMPLE_INTERVAL_MS } from '../host/index.ts';
import type { Variables } from './environment/index.ts';
import { isHttpUrl } from './otlp/http/index.ts';

/** The levels of the logger, most important first: npm's, which winston uses too. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly'] as const;

/** A level of the logger. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Where OTLP goes. These options win over `OTEL_EXPORTER_OTLP_*`.
 * A signal is sent only if its `OTEL_<SIGNAL>_EXPORTER` includes `otlp`, which is the default.
 */
export interface OtlpOptions {
  /** The base URL, such as `http://collector:4318`. Keelson adds the path of the signal. @defaultValue OTEL_EXPORTER_OTLP_ENDPOINT, then http://localhost:4318 */
  readonly endpoint?: string;
  /** Headers of each request. They win over those of `OTEL_EXPORTER_OTLP_HEADERS`. Keelson never prints them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long one attempt may take, at least 1 ms. @defaultValue OTEL_EXPORTER_OTLP_TIMEOUT, then 10s */
  readonly timeout?: Duration;
}

/** Where the Prometheus endpoint listens. These options win over `OTEL_EXPORTER_PROMETHEUS_*`. */
export interface PrometheusOptions {
  /** The host name or address to listen on. @defaultValue OTEL_EXPORTER_PROMETHEUS_HOST, then 127.0.0.1 */
  readonly host?: string;
  /** The port, 0 to 65535. 0 takes any free port. @defaultValue OTEL_EXPORTER_PROMETHEUS_PORT, then 9464 */
  readonly port?: number;
}

/** Which lines the logger writes, and where. */
export interface LoggerOptions {
  /** The least important level that is written. @defaultValue 'info' */
  readonly level?: LogLevel;
  /** Whether lines go to standard error. @defaultValue true */
  readonly console?: boolean;
  /** Whether lines go to `<home>/logs/YYYY-MM-DD.jsonl`. @defaultValue true */
  readonly files?: boolean;
  /** Names of further fields whose values the logger takes out. Case and punctuation do not matter. @defaultValue none */
  readonly redact?: readonly string[];
}

/** Options of {@link startTelemetry}. Options win over variables, and variables win over defaults. */
export interface TelemetryOptions {
  /** The attribute `service.name` of the resource. @defaultValue OTEL_SERVICE_NAME, then `unknown_service:node` */
  readonly serviceName?: string;
  /** The attribute `service.version` of the resource. @defaultValue none */
  readonly serviceVersion?: string;
  /** Further attributes of the resource. @defaultValue none */
  readonly resourceAttributes?: Readonly<Record<string, string | number | boolean>>;
  /** The folder for everything on disk. @defaultValue KEELSON_HOME, then ./.keelson */
  readonly home?: string;
  /** Whether OTLP JSON lines are written to `<home>/telemetry`. @defaultValue KEELSON_TELEMETRY_FILES, then true */
  readonly files?: boolean;
  /** Where OTLP goes. `false` switches it off for every signal. */
  readonly otlp?: OtlpOptions | false;
  /** Where the Prometheus endpoint listens. `false` switches it off. */
  readonly prometheus?: PrometheusOptions | false;
  /** How often metrics are sent and written, at least 1 ms. @defaultValue OTEL_METRIC_EXPORT_INTERVAL, then 60s */
  readonly metricInterval?: Duration;
  /** How often the gauges of host and process are sampled, at least 100 ms. `false` switches them off. @defaultValue 5s */
  readonly hostInterval?: Duration | false;
  /** Which spans are sampled. @defaultValue OTEL_TRACES_SAMPLER, then every span whose parent is sampled or absent */
  readonly sampler?: Sampler;
  /** Further processors of spans. If one throws, Keelson catches it and warns once. @defaultValue none */
  readonly spanProcessors?: readonly SpanProcessor[];
  /** Further processors of log records. If one throws, Keelson catches it and warns once. @defaultValue none */
  readonly logRecordProcessors?: readonly LogRecordProcessor[];
  /** Further readers of metrics. @defaultValue none */
  readonly metricReaders?: readonly IMetricReader[];
  /** The logger. */
  readonly logger?: LoggerOptions;
  /** The environment variables to read. @defaultValue process.env */
  readonly env?: Variables;
  /** The clock of Keelson's own parts. The SDK's processors and readers use the machine's. @defaultValue the machine's clock */
  readonly clock?: Clock;
  /** Called with each warning, one line with its line break. @defaultValue standard error */
  readonly writeWarning?: (line: string) => void;
}

/** The defaults of those {@link TelemetryOptions} that have no variable. Durations are in milliseconds. */
export const telemetryDefaults: {
  readonly hostInterval: number;
  readonly deadline: number;
  readonly logger: Required<LoggerOptions>;
} = {
  hostInterval: DEFAULT_SAMPLE_INTERVAL_MS,
  deadline: 5_000,
  logger: { level: 'info', console: true, files: true, redact: [] },
};

const OPTION_NAMES: readonly (keyof TelemetryOptions)[] = [
  'serviceName',
  'serviceVersion',
  'resourceAttributes',
  'home',
  'files',
  'otlp',
  'prometheus',
  'metricInterval',
  'hostInterval',
  'sampler',
  'spanProcessors',
  'logRecordProcessors',
  'metricReaders',
  'logger',
  'env',
  'clock',
  'writeWarning',
];
const MIN_HOST_INTERVAL_MS = 100;
const MAX_PORT = 65_535;

/** The durations of {@link TelemetryOptions} in milliseconds. `undefined` if the option is absent, or off. */
export interface CheckedOptions {
  readonly otlpTimeoutMs: number | undefined;
  readonly metricIntervalMs: number | undefined;
  readonly hostIntervalMs: number | undefined;
}

function checkText(checker: OptionChecker, key: string, value: unknown): void {
  if (value !== undefined && (typeof value !== 'string' || value.trim() === '')) {
    checker.problem(key, 'to be a text that is not empty', value, 'Leave it out for the default.');
  }
}

function checkBoolean(checker: OptionChecker, key: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') {
    checker.problem(key, 'to be true or false', value, 'Leave it out for the default.');
  }
}

function checkLogger(checker: OptionChecker, logger: LoggerOptions | undefined): void {
  checker.keys(logger, ['level', 'console', 'files', 'redact']);
  if (logger?.level !== undefined && !LOG_LEVELS.includes(logger.level)) {
    checker.problem('level', `to be one of ${LOG_LEVELS.join(', ')}`, logger.level, "The default is 'info'.");
  }
  checkBoolean(checker, 'console', logger?.console);
  checkBoolean(checker, 'files', logger?.files);
  if (logger?.redact !== undefined && !Array.isArray(logger.redact)) {
    checker.problem('redact', 'to be a list of field names', logger.redact, "For example ['iban'].");
  }
}

/**
 * Checks the options of {@link startTelemetry}.
 * @throws {ConfigError} `ERR_KEELSON_CONFIG` with every problem at once
 */
export function checkOptions(options: TelemetryOptions): CheckedOptions {
  const checker = new OptionChecker('startTelemetry');
  checker.keys(options, OPTION_NAMES);
  checkText(checker, 'serviceName', options.serviceName);
  checkText(checker, 'serviceVersion', options.serviceVersion);
  checkText(checker, 'home', options.home);
  checkBoolean(checker, 'files', options.files);

  const otlp = options.otlp === false ? undefined : options.otlp;
  const otlpChecker = checker.under('otlp');
  otlpChecker.keys(otlp, ['endpoint', 'headers', 'timeout']);
  if (otlp?.endpoint !== undefined && (typeof otlp.endpoint !== 'string' || !isHttpUrl(otlp.endpoint))) {
    otlpChecker.problem(
      'endpoint',
      'to be an http or https URL',
      NOT_SHOWN,
      "For example 'http://localhost:4318'.",
    );
  }

  const prometheus = options.prometheus === false ? undefined : options.prometheus;
  const prometheusChecker = checker.under('prometheus');
  prometheusChecker.keys(prometheus, ['host', 'port']);
  checkText(prometheusChecker, 'host', prometheus?.host);
  prometheusChecker.number('port', prometheus?.port, { min: 0, max: MAX_PORT, integer: true }, 9_464);

  checkLogger(checker.under('logger'), options.logger);
  checker.function('writeWarning', options.writeWarning, 'It takes each warning as a line.');
  const checked: CheckedOptions = {
    otlpTimeoutMs: otlpChecker.duration('timeout', otlp?.timeout, 1, undefined),
    metricIntervalMs: checker.duration('metricInterval', options.metricInterval, 1, undefined),
    hostIntervalMs:
      options.hostInterval === false
        ? undefined
        : checker.duration(
            'hostInterval',
            options.hostInterval,
            MIN_HOST_INTERVAL_MS,
            telemetryDefaults.hostInterval,
          ),
  };
  checker.done();
  return checked;
}
