import { context, diag, logs, metrics, propagation, trace } from '@opentelemetry/api';

// Where the API keeps what is registered; the key is part of its contract between versions (`opentelemetry.js.api.<major>`).
const REGISTERED = Symbol.for('opentelemetry.js.api.1');

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
  propagation.disable();
  context.disable();
  diag.disable();
}
