import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { systemClock } from '../../core/time/clock.ts';
import { readEnvironment } from '../environment/index.ts';
import { mainFile } from '../sdk/main-file.ts';
import { startTelemetry } from '../start.ts';
import { TelemetryRun } from '../telemetry-run.ts';
import { guardedClock } from '../warnings/guarded-clock.ts';
import { writeQuietly } from '../warnings/quiet-write.ts';
import { createWarner } from '../warnings/warner.ts';
import { findInstrumentations, loadInstrumentations } from './app-instrumentations.ts';
import { enableInstrumentations, disableInstrumentations } from './enabled-instrumentations.ts';
import { makeOwnInstrumentations } from './own-instrumentations.ts';
import { endWithProcess } from './process-end.ts';
import { watchUncaughtExceptions } from './uncaught-exception.ts';
import { watchVersions } from './unsupported-versions.ts';

/** The folders from which the application resolves packages. */
function appFolders(): readonly string[] {
  const main = mainFile(process);
  if (main === undefined) return [process.cwd()];
  try {
    return [dirname(realpathSync(main)), process.cwd()];
  } catch {
    return [dirname(main), process.cwd()];
  }
}

/**
 * The second stage: starts the telemetry, the instrumentations and what watches the end of the process. An instrumentation that fails is left out.
 * @throws whatever else fails, after everything is taken back
 */
export async function startSdk(): Promise<void> {
  const telemetry = startTelemetry();
  if (telemetry.mode !== 'running') return;
  const instrumentations: Instrumentation[] = [];
  let leaveProcess = (): void => {};
  try {
    const warn = createWarner(systemClock, (line) => writeQuietly(process.stderr, line));
    const clock = guardedClock(systemClock, warn);
    // The warnings about variables have been given at the start.
    const { instrumentations: choice } = readEnvironment(process.env, () => {});
    instrumentations.push(...(await makeOwnInstrumentations(choice, warn)));
    instrumentations.push(...loadInstrumentations(findInstrumentations(appFolders()), choice, warn));
    watchVersions(instrumentations, clock, warn);
    leaveProcess = endWithProcess(telemetry, process, clock);
    watchUncaughtExceptions(telemetry, process);
    // The last step, since not every patch of a module can be taken back.
    enableInstrumentations(instrumentations, warn);
  } catch (error) {
    leaveProcess();
    disableInstrumentations(instrumentations);
    if (telemetry instanceof TelemetryRun) telemetry.abandon();
    throw error;
  }
}
