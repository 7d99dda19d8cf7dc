/**
 * Zero-code start: `node --import keelson/register app.js`, for ESM and CommonJS applications.
 *
 * This is the first of two stages: it puts the module hooks in place, and only then loads the SDK. In one stage the SDK itself would load
 * `node:http` before the hooks, and an application's named `import { get } from 'node:http'` would stay untraced (measured: 3 of 4 spans).
 * Nothing but what every Node can load is imported before the version is known.
 *
 * Whatever fails here is one warning, and the application runs as if it had been started without Keelson: an exception that left this module would
 * end the process before the first line of the application.
 */
import { isMainThread } from 'node:worker_threads';
import { writeQuietly } from './warnings/quiet-write.ts';

const STAGE = Symbol.for('keelson.register.v1');
/** Of Node; with an older one, the telemetry would fail where the application ends. */
const OLDEST_MAJOR = 22;
/** As `engines` in package.json has it. */
const NODE_RANGE = '^22.23.0 || >=24.15.0';

function say(line: string): void {
  try {
    writeQuietly(process.stderr, line);
  } catch {
    // Opening standard error failed: there is nowhere to say it.
  }
}

/** What {@link start} is doing, as in "cannot ...". */
let step = 'read the version of Node';

async function start(): Promise<void> {
  const { node } = process.versions;
  if (Number.parseInt(node, 10) < OLDEST_MAJOR) {
    say(
      `keelson: keelson/register needs Node ${NODE_RANGE}, and this is Node ${node}. The application goes on without telemetry. Update Node, or leave out --import keelson/register.\n`,
    );
    return;
  }
  step = 'put its module hooks in place';
  const { registerModuleHooks } = await import('./register/module-hooks.ts');
  registerModuleHooks();
  step = 'load the OpenTelemetry SDK';
  const { startSdk } = await import('./register/register-sdk.ts');
  step = 'start its telemetry';
  await startSdk();
}

/** Lets later imports of the application pass by the hooks, and says what failed. */
async function giveUp(error: unknown): Promise<void> {
  try {
    const { withdrawModuleHooks } = await import('./register/module-hooks.ts');
    withdrawModuleHooks();
  } catch {
    // The hooks themselves could not be loaded: none are in place.
  }
  try {
    const { failureLine } = await import('./register/register-failure.ts');
    say(failureLine(step, error));
  } catch {
    say(
      `keelson: keelson/register cannot ${step}, and files of the package are missing. The application runs without Keelson's telemetry. Install keelson again.\n`,
    );
  }
}

// A worker shares the service's endpoint, files and signals with its main thread: one telemetry for the process is enough.
if (isMainThread && Reflect.get(globalThis, STAGE) === undefined) {
  Reflect.set(globalThis, STAGE, true);
  try {
    await start();
  } catch (error) {
    await giveUp(error);
  }
}
