import { logs } from '@opentelemetry/api';
import type { Logger } from 'winston';
import type { Clock } from '../core/time/clock.ts';
import { parseDuration } from '../core/time/duration.ts';
import type { Duration } from '../core/time/duration.ts';
import { bindSignals, setExemplarPort } from '../signals/index.ts';
import { SCOPE_NAME } from '../signals/semconv.ts';
import { systemCode } from '../storage/index.ts';
import type { FilePort, Home } from '../storage/index.ts';
import type { TelemetryCounts, TelemetryStats } from './counts.ts';
import type { EnvironmentSettings } from './environment/index.ts';
import { startHostMetrics } from './gauges/host-gauges.ts';
import { LogFiles } from './logger/log-files.ts';
import { emitLog } from './logger/log-records.ts';
import { createLogger } from './logger/logger.ts';
import type { CreatedLogger } from './logger/logger.ts';
import { telemetryDefaults } from './options.ts';
import type { CheckedOptions, TelemetryOptions } from './options.ts';
import {
  countPoints,
  encodeLogs,
  encodeSpans,
  ExemplarStore,
  metricsEncoder,
  writableItems,
  writableMetrics,
} from './otlp/encode/index.ts';
import { Pipelines } from './pipelines.ts';
import { PrometheusEndpoint } from './prometheus/prometheus-endpoint.ts';
import { disableGlobals } from './sdk/globals.ts';
import { publishOwnMetrics } from './sdk/own-metrics.ts';
import { makeProviders, makeSampler } from './sdk/providers.ts';
import type { Providers } from './sdk/providers.ts';
import { makeResource } from './sdk/resource.ts';
import { HOST_SCOPE_NAME, LOG_SCOPE_NAME } from './semconv.ts';
import type { Telemetry } from './telemetry.ts';
import { warnAboutDisk } from './warnings/disk-warning.ts';
import { guardedClock, warnOfFault } from './warnings/guarded-clock.ts';
import { writeQuietly } from './warnings/quiet-write.ts';
import type { Warn } from './warnings/warner.ts';

/** What a {@link TelemetryRun} is made of. */
export interface TelemetryRunParts {
  readonly options: TelemetryOptions;
  readonly checked: CheckedOptions;
  readonly settings: EnvironmentSettings;
  readonly mode: Telemetry['mode'];
  readonly clock: Clock;
  readonly counts: TelemetryCounts;
  readonly home: Home;
  readonly files: FilePort;
  readonly warn: Warn;
  readonly onEnd: () => void;
}

/** Telemetry from start to shutdown: makes the parts that the settings ask for, and ends them within a deadline. */
export class TelemetryRun implements Telemetry {
  readonly mode: Telemetry['mode'];
  readonly providers: Providers | undefined;
  readonly #parts: TelemetryRunParts;
  readonly #pipelines: Pipelines | undefined;
  #logFiles: LogFiles | undefined;
  readonly #prometheus: PrometheusEndpoint | undefined;
  #endHostMetrics: (() => void) | undefined;
  #exemplars: ExemplarStore | undefined;
  #logger: CreatedLogger | undefined;
  #ending: Promise<void> | undefined;
  #abandoned = false;

  constructor(parts: TelemetryRunParts) {
    const warn: Warn = (kind, message) => {
      if (!this.#abandoned) parts.warn(kind, message);
    };
    this.#parts = { ...parts, warn, clock: guardedClock(parts.clock, warn) };
    this.mode = parts.mode;
    if (parts.mode !== 'running') return;
    try {
      this.#prometheus = this.#startPrometheus();
      this.#pipelines = new Pipelines(this.#parts);
      this.providers = this.#makeProviders(this.#pipelines);
    } catch (error) {
      this.#stop();
      throw error;
    }
    if (parts.settings.exemplarFilter === 'always_off') return;
    this.#exemplars = new ExemplarStore(this.providers.meter, this.#parts.clock);
  }

  get home(): string {
    return this.#parts.home.path;
  }

  get ready(): Promise<void> {
    return this.#prometheus?.ready ?? Promise.resolve();
  }

  get prometheus(): { readonly url: string } | undefined {
    const url = this.#prometheus?.url;
    return url === undefined ? undefined : { url };
  }

  get logger(): Logger {
    this.#logger ??= this.#makeLogger();
    return this.#logger.logger;
  }

  stats(): TelemetryStats {
    const logger = { lost: this.#logFiles?.lost ?? 0, failures: this.#logger?.failures() ?? 0 };
    return { ...this.#parts.counts.snapshot(), logger };
  }

  /** Starts what watches and counts; called once, after the providers are registered. */
  begin(): void {
    const { providers } = this;
    if (!providers) return;
    setExemplarPort(this.#exemplars);
    publishOwnMetrics(providers.meter.getMeter(SCOPE_NAME), this.#parts.counts);
    if (this.#pipelines?.writes === true) this.#prepareHome();
    this.#pipelines?.begin();
    const intervalMs = this.#parts.checked.hostIntervalMs;
    if (intervalMs === undefined) return;
    const meter = providers.meter.getMeter(HOST_SCOPE_NAME);
    this.#endHostMetrics = startHostMetrics(meter, {
      intervalMs,
      path: this.home,
      clock: this.#parts.clock,
    });
  }

  forceFlush(deadline?: Duration): Promise<void> {
    if (this.#ending) return this.#ending;
    return this.#within(deadline, (withinMs) => this.#flush(withinMs));
  }

  flushOnExit(): void {
    try {
      for (const queue of this.providers?.queues ?? []) queue.drainForGood();
      this.#pipelines?.leave();
    } catch (error) {
      // What an `exit` listener throws would change the exit code.
      warnOfFault(this.#parts.warn, error);
    }
  }

  /**
   * The start failed: takes everything back before it returns, so that the process goes on as if there had been no start. What was recorded
   * meanwhile is lost, and nothing warns any more. Never throws.
   */
  abandon(): void {
    this.#stop();
    attempt(() => this.#parts.onEnd());
    attempt(disableGlobals);
    attempt(() => setExemplarPort(undefined));
    attempt(bindSignals);
  }

  shutdown(deadline?: Duration): Promise<void> {
    this.#ending ??= this.#end(deadline);
    return this.#ending;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #flush(withinMs: number): Promise<void> {
    const { providers } = this;
    if (!providers) return;
    await settled(
      () => providers.tracer.forceFlush(),
      () => providers.meter.forceFlush(),
      () => providers.logger.forceFlush(),
    );
    await this.#pipelines?.flush(withinMs);
  }

  async #end(deadline: Duration | undefined): Promise<void> {
    const { providers } = this;
    if (this.mode !== 'foreign') this.#parts.onEnd();
    this.#endHostMetrics?.();
    await this.#within(deadline, async (withinMs) => {
      if (!providers) return;
      await settled(
        () => providers.tracer.shutdown(),
        () => providers.meter.shutdown(),
        () => providers.logger.shutdown(),
        ...(this.#prometheus ? [() => this.#prometheus?.close()] : []),
      );
      await this.#pipelines?.flush(withinMs);
    });
    this.#pipelines?.close();
    this.#logFiles?.close();
    if (this.mode === 'foreign') return;
    disableGlobals();
    setExemplarPort(undefined);
    if (providers) bindSignals();
  }

  /** Ends timers, server and files at once. */
  #stop(): void {
    const { providers } = this;
    this.#abandoned = true;
    this.#ending ??= Promise.resolve();
    attempt(() => this.#endHostMetrics?.());
    attempt(() => this.#pipelines?.close());
    attempt(() => this.#logFiles?.close());
    void settled(
      () => this.#prometheus?.close(),
      () => providers?.tracer.shutdown(),
      () => providers?.meter.shutdown(),
      () => providers?.logger.shutdown(),
    );
  }

  /** A home that cannot be used is said at the start, not at the first batch; the writers try it again. */
  #prepareHome(): void {
    try {
      this.#parts.home.folder();
    } catch (error) {
      warnAboutDisk(this.#parts.warn, systemCode(error), error);
    }
  }

  /** Waits for `work`, at most until the deadline; its timer keeps the process alive meanwhile, and only it. */
  async #within(deadline: Duration | undefined, work: (withinMs: number) => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const withinMs = parseDuration(deadline) ?? telemetryDefaults.deadline;
    const timer = this.#parts.clock.setTimer(resolve, withinMs);
    await Promise.race([promise, settled(() => work(withinMs))]);
    timer.cancel();
  }

  #startPrometheus(): PrometheusEndpoint | undefined {
    const { options, settings, warn } = this.#parts;
    if (options.prometheus === false) return undefined;
    if (options.prometheus === undefined && !settings.exporters.metrics.includes('prometheus')) {
      return undefined;
    }
    const host = options.prometheus?.host ?? settings.prometheus.host;
    const port = options.prometheus?.port ?? settings.prometheus.port;
    return new PrometheusEndpoint({
      host,
      port,
      warn,
      exemplars: (instrument, attributes) => this.#exemplars?.since(0, instrument, attributes) ?? [],
    });
  }

  #makeProviders(pipelines: Pipelines): Providers {
    const { options, checked, settings, counts, clock, warn } = this.#parts;
    return makeProviders({
      resource: makeResource(options, settings),
      settings,
      metricIntervalMs: checked.metricIntervalMs ?? settings.metricIntervalMs,
      sampler: options.sampler ?? makeSampler(settings.sampler),
      traces: pipelines.exporter('traces', encodeSpans, (batch) => batch.length, writableItems),
      logs: pipelines.exporter('logs', encodeLogs, (batch) => batch.length, writableItems),
      metrics: pipelines.exporter(
        'metrics',
        metricsEncoder(() => this.#exemplars, warn),
        countPoints,
        writableMetrics,
      ),
      spanProcessors: options.spanProcessors ?? [],
      logRecordProcessors: options.logRecordProcessors ?? [],
      metricReaders: [
        ...(this.#prometheus ? [this.#prometheus.reader] : []),
        ...(options.metricReaders ?? []),
      ],
      onLate: (signal, items) => counts.dropped(signal, 'shutdown', items),
      clock,
      warn,
    });
  }

  #makeLogger(): CreatedLogger {
    const { options, clock, home, files, warn } = this.#parts;
    const wanted = { ...telemetryDefaults.logger, ...options.logger };
    const lines: ((line: string) => void)[] = [];
    if (wanted.console) lines.push((line) => writeQuietly(process.stderr, `${line}\n`));
    if (wanted.files) {
      const logFiles = new LogFiles({ home, clock, files, warn });
      this.#logFiles = logFiles;
      lines.push((line) => logFiles.append(line));
    }
    const provider = this.providers?.logger ?? logs;
    return createLogger({
      level: wanted.level,
      redact: wanted.redact,
      clock,
      sinks: { lines, entry: (entry) => emitLog(() => provider.getLogger(LOG_SCOPE_NAME), entry) },
    });
  }
}

/** Runs a step whose failure must not keep the next one from running. */
function attempt(step: () => void): void {
  try {
    step();
  } catch {
    // It is part of an end that has its own reason, which is reported.
  }
}

/** Runs all, waits for all, and drops what they throw: there is nobody left to tell. */
async function settled(...work: readonly (() => Promise<unknown> | undefined)[]): Promise<void> {
  await Promise.allSettled(work.map(async (each) => each()));
}
