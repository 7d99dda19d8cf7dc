import { context } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';

import { readEnvironment } from './environment.ts';
import type { InstrumentationName } from './environment.ts';
import { systemClock } from '../core/clock.ts';
import { endWithProcess } from './process-end.ts';
import { startTelemetry } from './start.ts';
import { watchUncaughtExceptions } from './uncaught-exception.ts';

const ignoreOwnRequests = (): boolean => isTracingSuppressed(context.active());

/**
 * http is made disabled, and enabled by `registerInstrumentations`: enabled in its constructor, instrumentation-http 0.301 patches modules that are
 * loaded already before its own fields are set, forgets that, and patches them again for CommonJS: two spans for one `http.get`.
 * Our own requests to receivers run with tracing suppressed; without the hooks they would still be measured.
 */
const INSTRUMENTATIONS: Readonly<
  Record<InstrumentationName, () => HttpInstrumentation | UndiciInstrumentation>
> = {
  http: () => new HttpInstrumentation({ enabled: false, ignoreOutgoingRequestHook: ignoreOwnRequests }),
  undici: () => new UndiciInstrumentation({ ignoreRequestHook: ignoreOwnRequests }),
};

const telemetry = startTelemetry();
if (telemetry.mode === 'running') {
  // The warnings about variables have been given at the start.
  const { instrumentations } = readEnvironment(process.env, () => {});
  registerInstrumentations({ instrumentations: instrumentations.map((name) => INSTRUMENTATIONS[name]()) });
  watchUncaughtExceptions(telemetry, process);
  endWithProcess(telemetry, process, systemClock);
}
