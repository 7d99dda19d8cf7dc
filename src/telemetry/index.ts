export { DROP_REASONS } from './counts.ts';
export type { BacklogStats, DropReason, LoggerStats, SignalStats, TelemetryStats } from './counts.ts';
export { ENVIRONMENT } from './environment/index.ts';
export type { EnvironmentAnswer, EnvironmentRow } from './environment/index.ts';

export type { Variables } from './environment/index.ts';
export { telemetryDefaults } from './options.ts';
export type { LoggerOptions, LogLevel, OtlpOptions, PrometheusOptions, TelemetryOptions } from './options.ts';
export { HOST_METRICS } from './gauges/host-metrics.ts';
export type { Signal } from './semconv.ts';
export { startTelemetry } from './start.ts';
export type { Telemetry } from './telemetry.ts';
export type { MetricDefinition } from '../signals/semconv.ts';
