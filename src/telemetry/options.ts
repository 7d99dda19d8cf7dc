import type { LogRecordProcessor } from '@opentelemetry/sdk-logs';
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import type { Sampler, SpanProcessor } from '@opentelemetry/sdk-trace';

import type { Clock } from '../core/clock.ts';
import type { Duration } from '../core/duration.ts';
import { NOT_SHOWN, OptionChecker } from '../core/options.ts';
import { DEFAULT_SAMPLE_INTERVAL_MS } from '../host/index.ts';
import type { Variables } from './environment/index.ts';
import { isHttpUrl } from './otlp/http/index.ts';

/** Levels of the logger, most important first, as npm and winston have them. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly'] as const;

/** A level of the logger. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where OTLP goes, where the variables shall not say it. A signal whose `OTEL_<SIGNAL>_EXPORTER` is without `otlp` is not sent. */
export interface OtlpOptions {
  /** Base URL, such as `http://collector:4318`; the path of the signal is added. @defaultValue OTEL_EXPORTER_OTLP_ENDPOINT, then http://localhost:4318 */
  readonly endpoint?: string;
  /** Sent with each request, over those of `OTEL_EXPORTER_OTLP_HEADERS`; never printed. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For each attempt, at least 1 ms. @defaultValue OTEL_EXPORTER_OTLP_TIMEOUT, then 10s */
  readonly timeout?: Duration;
}

/** The Prometheus endpoint, where the variables shall not say it. */
export interface PrometheusOptions {
  /** @defaultValue OTEL_EXPORTER_PROMETHEUS_HOST, then 127.0.0.1 */
  readonly host?: string;
  /** 0 to 65535; 0 takes any free port. @defaultValue OTEL_EXPORTER_PROMETHEUS_PORT, then 9464 */
  readonly port?: number;
}

/** The logger. */
export interface LoggerOptions {
  /** The least important level that is written. @defaultValue 'info' */
  readonly level?: LogLevel;
  /** Whether lines go to standard error. @defaultValue true */
  readonly console?: boolean;
  /** Whether lines go to `<home>/logs/YYYY-MM-DD.jsonl`. @defaultValue true */
  readonly files?: boolean;
  /** Names of further fields whose values are secret, compared without case and punctuation. @defaultValue none */
  readonly redact?: readonly string[];
}

/** What {@link startTelemetry} takes. Options win over variables, variables over defaults. */
export interface TelemetryOptions {
  /** `service.name`. @defaultValue OTEL_SERVICE_NAME, then `unknown_service:node` */
  readonly serviceName?: string;
  /** `service.version`. */
  readonly serviceVersion?: string;
  /** Further attributes of the resource. */
  readonly resourceAttributes?: Readonly<Record<string, string | number | boolean>>;
  /** Folder for everything on disk. @defaultValue KEELSON_HOME, then ./.keelson */
  readonly home?: string;
  /** Whether OTLP JSON lines are written to `<home>/telemetry`. @defaultValue KEELSON_TELEMETRY_FILES, then true */
  readonly files?: boolean;
  /** OTLP over HTTP; `false` switches it off for every signal. */
  readonly otlp?: OtlpOptions | false;
  /** The Prometheus endpoint; `false` switches it off. */
  readonly prometheus?: PrometheusOptions | false;
  /** How often metrics are pushed and written, at least 1 ms. @defaultValue OTEL_METRIC_EXPORT_INTERVAL, then 60s */
  readonly metricInterval?: Duration;
  /** How often host and process are sampled, at least 100 ms; `false` switches the sampler off. @defaultValue 5s */
  readonly hostInterval?: Duration | false;
  /** Which spans are sampled. @defaultValue OTEL_TRACES_SAMPLER, then every span whose parent is sampled or absent */
  readonly sampler?: Sampler;
  /** Further processors of spans; what they throw is caught and said once. */
  readonly spanProcessors?: readonly SpanProcessor[];
  /** Further processors of log records; what they throw is caught and said once. */
  readonly logRecordProcessors?: readonly LogRecordProcessor[];
  /** Further readers of metrics. */
  readonly metricReaders?: readonly IMetricReader[];
  readonly logger?: LoggerOptions;
  /** The variables. @defaultValue process.env */
  readonly env?: Variables;
  /** The time of Keelson's own parts; the SDK's processors and readers have their own. @defaultValue the machine's clock */
  readonly clock?: Clock;
  /** Takes each warning as a whole line. @defaultValue standard error */
  readonly writeWarning?: (line: string) => void;
}

/** The defaults of {@link TelemetryOptions} that no variable has. */
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

/** {@link TelemetryOptions} with durations as milliseconds. */
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
 * Checks the options that code gives.
 * @throws ConfigError `ERR_KEELSON_CONFIG` with every problem at once
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
