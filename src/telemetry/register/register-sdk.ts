import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { context } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { systemClock } from '../../core/clock.ts';
import { readEnvironment } from '../environment/index.ts';
import { startTelemetry } from '../start.ts';
import { writeQuietly } from '../warnings/quiet-write.ts';
import { createWarner } from '../warnings/warner.ts';
import { findInstrumentations, isChosen, loadInstrumentations } from './app-instrumentations.ts';
import { endWithProcess } from './process-end.ts';
import { watchUncaughtExceptions } from './uncaught-exception.ts';
import { watchVersions } from './unsupported-versions.ts';

const ignoreOwnRequests = (): boolean => isTracingSuppressed(context.active());

/**
 * http is made disabled, and enabled by `registerInstrumentations`: enabled in its constructor, instrumentation-http 0.301 patches modules that are
 * loaded already before its own fields are set, forgets that, and patches them again for CommonJS: two spans for one `http.get`.
 * Our own requests to receivers run with tracing suppressed; without the hooks they would still be measured.
 */
const OWN: Readonly<Record<'http' | 'undici', () => Instrumentation>> = {
  http: () => new HttpInstrumentation({ enabled: false, ignoreOutgoingRequestHook: ignoreOwnRequests }),
  undici: () => new UndiciInstrumentation({ ignoreRequestHook: ignoreOwnRequests }),
};

/** The folders from which the application resolves packages. */
function appFolders(): readonly string[] {
  const main = process.argv[1];
  if (main === undefined) return [process.cwd()];
  try {
    return [dirname(realpathSync(main)), process.cwd()];
  } catch {
    return [dirname(main), process.cwd()];
  }
}

const telemetry = startTelemetry();
if (telemetry.mode === 'running') {
  // The warnings about variables have been given at the start.
  const { instrumentations: choice } = readEnvironment(process.env, () => {});
  const warn = createWarner(systemClock, (line) => writeQuietly(process.stderr, line));
  const own = (['http', 'undici'] as const).filter((name) => isChosen(name, choice));
  const instrumentations = [
    ...own.map((name) => OWN[name]()),
    ...loadInstrumentations(findInstrumentations(appFolders()), choice, warn),
  ];
  for (const instrumentation of instrumentations) {
    try {
      registerInstrumentations({ instrumentations: [instrumentation] });
    } catch (error) {
      const { instrumentationName: name } = instrumentation;
      warn(
        `instrumentation:${name}`,
        `${name} cannot be enabled (${error instanceof Error ? error.name : typeof error}). The rest goes on.`,
      );
    }
  }
  watchVersions(instrumentations, systemClock, warn);
  watchUncaughtExceptions(telemetry, process);
  endWithProcess(telemetry, process, systemClock);
}
