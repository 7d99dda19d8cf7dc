import { context } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';

import { readEnvironment } from './environment.ts';
import type { InstrumentationName } from './environment.ts';
import { endWithProcess } from './process-end.ts';
import { startTelemetry } from './start.ts';

const INSTRUMENTATIONS: Readonly<
  Record<InstrumentationName, () => HttpInstrumentation | UndiciInstrumentation>
> = {
  // Our own requests to receivers run with tracing suppressed: without this they would still be measured.
  http: () =>
    new HttpInstrumentation({ ignoreOutgoingRequestHook: () => isTracingSuppressed(context.active()) }),
  undici: () => new UndiciInstrumentation({ ignoreRequestHook: () => isTracingSuppressed(context.active()) }),
};

const telemetry = startTelemetry();
if (telemetry.mode === 'running') {
  // The warnings about variables have been given at the start.
  const { instrumentations } = readEnvironment(process.env, () => {});
  registerInstrumentations({ instrumentations: instrumentations.map((name) => INSTRUMENTATIONS[name]()) });
  endWithProcess(telemetry, process);
}
