/**
 * What `node --require keelson/register` and `require('keelson/register')` load. `keelson/register` has to wait for its second stage, and `require`
 * cannot wait: Node would end the process with `ERR_REQUIRE_ASYNC_MODULE` before the first line of the application. This file is CommonJS, so that
 * every Node can load it.
 */
const { isMainThread }: { readonly isMainThread: boolean } = require('node:worker_threads');

if (isMainThread && Reflect.get(globalThis, Symbol.for('keelson.register.v1')) === undefined) {
  // oxlint-disable-next-line no-console -- as every console of Node's, it drops the error of a standard error that is gone
  console.error(
    "keelson: keelson/register cannot be loaded with --require. The application runs without Keelson's telemetry. Start it with --import keelson/register, which CommonJS applications can use too.",
  );
}
