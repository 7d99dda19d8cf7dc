import { context, diag, logs, metrics, propagation, trace } from '@opentelemetry/api';
import type { LoggerProvider } from '@opentelemetry/api';

// Where the API keeps what is registered; the key is part of its contract between versions (`opentelemetry.js.api.<major>`).
const REGISTERED = Symbol.for('opentelemetry.js.api.1');

// Where `@opentelemetry/api-logs` keeps its provider: logs have a package of their own before version 1.10 of the API.
const OLDER_LOGS = Symbol.for('io.opentelemetry.js.api.logs');
const OLDER_LOGS_VERSION = 1;

let ownOlderLogs: unknown;

/**
 * Registers a provider for those who still speak to `@opentelemetry/api-logs`, such as the instrumentations of pino and winston before
 * 0.70: their records would be lost without a word. Another SDK that is registered there stays in force.
 */
export function registerOlderLogs(provider: LoggerProvider): void {
  if (Reflect.get(globalThis, OLDER_LOGS) !== undefined) return;
  ownOlderLogs = (version: number) => (version === OLDER_LOGS_VERSION ? provider : undefined);
  Reflect.set(globalThis, OLDER_LOGS, ownOlderLogs);
}

/** The names of the signals for which some SDK of this process is registered. */
export function registeredSignals(): readonly string[] {
  const registered: unknown = Reflect.get(globalThis, REGISTERED);
  if (typeof registered !== 'object' || registered === null) return [];
  return ['trace', 'metrics', 'logs'].filter((name) => Reflect.get(registered, name) !== undefined);
}

/** Takes everything out that `startTelemetry` registered, so that the next start finds a clean API. */
export function disableGlobals(): void {
  trace.disable();
  metrics.disable();
  logs.disable();
  if (Reflect.get(globalThis, OLDER_LOGS) === ownOlderLogs) Reflect.deleteProperty(globalThis, OLDER_LOGS);
  propagation.disable();
  context.disable();
  diag.disable();
}
