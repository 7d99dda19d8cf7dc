/**
 * Zero-code start: `node --import keelson/register app.js`, for ESM and CommonJS applications.
 *
 * This is the first of two stages: it puts the module hooks in place, and only then loads the SDK. In one stage the SDK itself would load
 * `node:http` before the hooks, and an application's named `import { get } from 'node:http'` would stay untraced (measured: 3 of 4 spans).
 */
import { isMainThread } from 'node:worker_threads';

import { registerModuleHooks } from './module-hooks.ts';

const STAGE = Symbol.for('keelson.register.v1');

// A worker shares the service's endpoint, files and signals with its main thread: one telemetry for the process is enough.
if (isMainThread && Reflect.get(globalThis, STAGE) === undefined) {
  Reflect.set(globalThis, STAGE, true);
  registerModuleHooks();
  await import('./register-sdk.ts');
}
