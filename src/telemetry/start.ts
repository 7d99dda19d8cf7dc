import { context, diag, DiagLogLevel, logs, metrics, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { systemClock } from '../core/time/clock.ts';
import { bindSignals } from '../signals/index.ts';
import { Home, systemFiles } from '../storage/index.ts';
import { TelemetryCounts } from './counts.ts';
import { readEnvironment } from './environment/index.ts';
import type { DiagLevel, EnvironmentSettings } from './environment/index.ts';
import { checkOptions } from './options.ts';
import type { CheckedOptions, TelemetryOptions } from './options.ts';
import { diagLogger } from './sdk/diag-logger.ts';
import { registeredSignals, registerOlderLogs } from './sdk/globals.ts';
import { makePropagator } from './sdk/providers.ts';
import { TelemetryRun } from './telemetry-run.ts';
import type { Telemetry } from './telemetry.ts';
import { writeQuietly } from './warnings/quiet-write.ts';
import { createWarner } from './warnings/warner.ts';
import type { Warn } from './warnings/warner.ts';

// One for the process, so that a second copy of the package finds it.
const RUNNING = Symbol.for('keelson.telemetry.v1');

const DIAG_LEVELS: Readonly<Record<DiagLevel, DiagLogLevel>> = {
  none: DiagLogLevel.NONE,
  error: DiagLogLevel.ERROR,
  warn: DiagLogLevel.WARN,
  info: DiagLogLevel.INFO,
  debug: DiagLogLevel.DEBUG,
  verbose: DiagLogLevel.VERBOSE,
  all: DiagLogLevel.ALL,
};

function runningTelemetry(): Telemetry | undefined {
  const holder = globalThis as { [RUNNING]?: Telemetry };
  return holder[RUNNING];
}

function setRunning(telemetry: Telemetry | undefined): void {
  const holder = globalThis as { [RUNNING]?: Telemetry | undefined };
  holder[RUNNING] = telemetry;
}

function register(run: TelemetryRun, settings: EnvironmentSettings, warn: Warn): void {
  const { providers } = run;
  if (!providers) return;
  diag.setLogger(diagLogger(warn), {
    logLevel: DIAG_LEVELS[settings.diagLevel],
    suppressOverrideMessage: true,
  });
  trace.setGlobalTracerProvider(providers.tracer);
  metrics.setGlobalMeterProvider(providers.meter);
  logs.setGlobalLoggerProvider(providers.logger);
  registerOlderLogs(providers.logger);
}

function build(
  options: TelemetryOptions,
  checked: CheckedOptions,
  settings: EnvironmentSettings,
  mode: Telemetry['mode'],
  warn: Warn,
): TelemetryRun {
  const env = options.env ?? process.env;
  return new TelemetryRun({
    options,
    checked,
    settings,
    mode,
    clock: options.clock ?? systemClock,
    counts: new TelemetryCounts(),
    home: new Home({ path: options.home, env }),
    files: systemFiles,
    warn,
    onEnd: () => setRunning(undefined),
  });
}

/**
 * Starts traces, metrics and logs for this process: OTLP over HTTP, a Prometheus endpoint on loopback, OTLP JSON lines on disk, and a logger.
 *
 * Returns at once and never throws because something is away: a receiver, a disk, a port. Each gives one warning on standard error, what is lost
 * is counted in `keelson.telemetry.dropped`, and calls are unchanged. A variable that cannot be used gives one warning and its default.
 *
 * There is one telemetry in a process: a second start returns the running one, and where another SDK is registered already, that one stays in
 * force and only the logger is ours; both are said once.
 * @throws {ConfigError} `ERR_KEELSON_CONFIG` for options in code that cannot be used, with every problem at once
 */
export function startTelemetry(options: TelemetryOptions = {}): Telemetry {
  const checked = checkOptions(options);
  const warn = createWarner(
    options.clock ?? systemClock,
    options.writeWarning ?? ((line) => writeQuietly(process.stderr, line)),
  );
  const running = runningTelemetry();
  if (running) {
    warn(
      'second-start',
      'startTelemetry was called again: the telemetry that runs already goes on unchanged.',
    );
    return running;
  }
  const settings = readEnvironment(options.env ?? process.env, warn);
  const foreign = registeredSignals();
  if (foreign.length > 0) {
    warn(
      'second-sdk',
      `Another OpenTelemetry SDK is registered in this process (${foreign.join(', ')}) and stays in force. ` +
        'Start Keelson first, or remove the other one, to have its export, files and endpoint.',
    );
    bindSignals();
    return build(options, checked, settings, 'foreign', warn);
  }
  const run = build(options, checked, settings, settings.disabled ? 'disabled' : 'running', warn);
  try {
    setRunning(run);
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(makePropagator(settings.propagators));
    register(run, settings, warn);
    run.begin();
    // Guards that were made before have their metrics from now on.
    bindSignals();
    return run;
  } catch (error) {
    run.abandon();
    throw error;
  }
}
