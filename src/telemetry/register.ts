/**
 * Zero-code start: `node --import keelson/register app.js`, for ESM and CommonJS applications.
 *
 * This is the first of two stages: it puts the module hooks in place, and only then loads the SDK. In one stage the SDK itself would load
 * `node:http` before the hooks, and an application's named `import { get } from 'node:http'` would stay untraced (measured: 3 of 4 spans).
 * Nothing but what every Node can load is imported before the version is known.
 */
import { isMainThread } from 'node:worker_threads';
import { writeQuietly } from './warnings/quiet-write.ts';

const STAGE = Symbol.for('keelson.register.v1');
/** Of Node; with an older one, the telemetry would fail where the application ends. */
const OLDEST_MAJOR = 22;
/** As `engines` in package.json has it. */
const NODE_RANGE = '^22.23.0 || >=24.15.0';

// A worker shares the service's endpoint, files and signals with its main thread: one telemetry for the process is enough.
if (isMainThread && Reflect.get(globalThis, STAGE) === undefined) {
  Reflect.set(globalThis, STAGE, true);
  const { node } = process.versions;
  if (Number.parseInt(node, 10) < OLDEST_MAJOR) {
    writeQuietly(
      process.stderr,
      `keelson: keelson/register needs Node ${NODE_RANGE}, and this is Node ${node}. The application goes on without telemetry. Update Node, or leave out --import keelson/register.\n`,
    );
  } else {
    const { registerModuleHooks } = await import('./register/module-hooks.ts');
    registerModuleHooks();
    await import('./register/register-sdk.ts');
  }
}
