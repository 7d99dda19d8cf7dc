import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppFolder } from '../../support/app-folder.ts';
import { InstalledKeelson } from '../../support/installed-keelson.ts';

/**
 * Prints what Keelson could leave behind in a process: listeners, globals of OpenTelemetry and changed functions. It serves and makes a request
 * through a named import, and ends by itself, which it does only while nothing else keeps it alive.
 */
const PROBE = `
  const names = ['SIGTERM', 'SIGINT', 'beforeExit', 'exit', 'uncaughtExceptionMonitor', 'uncaughtException', 'unhandledRejection', 'warning'];
  const api = globalThis[Symbol.for('opentelemetry.js.api.1')] ?? {};
  const server = http.createServer((request, response) => response.end('served'));
  server.listen(0, '127.0.0.1', () => {
    get({ port: server.address().port, host: '127.0.0.1' }, (response) => {
      response.setEncoding('utf8').on('data', (text) => {
        console.log(JSON.stringify({
          text,
          listeners: names.map((name) => process.listenerCount(name)),
          globals: Object.keys(api).filter((key) => key !== 'version'),
          telemetry: globalThis[Symbol.for('keelson.telemetry.v1')] === undefined,
          olderLogs: globalThis[Symbol.for('io.opentelemetry.js.api.logs')] === undefined,
          get: get.toString().length,
        }));
        server.close();
        process.exitCode = 5;
      });
    });
  });
`;
const APPLICATIONS = {
  'an ES module': ['app.mjs', `import http, { get } from 'node:http';\n${PROBE}`],
  CommonJS: ['app.cjs', `const http = require('node:http');\nconst { get } = http;\n${PROBE}`],
} as const;

/** A fault, the built file that has it, what runs at its end (nothing: the file is missing), and how the warning names the stage and the reason. */
const FAULTS: readonly (readonly [string, string, string, string])[] = [
  [
    'a file of the module hooks is missing',
    'telemetry/register/module-hooks',
    '',
    'put its module hooks in place (Error: Cannot find module ',
  ],
  [
    'the module hooks throw',
    'telemetry/register/module-hooks',
    `registerModuleHooks = () => { throw new Error('no hooks'); };`,
    'put its module hooks in place (Error: no hooks)',
  ],
  [
    'a file of the SDK is missing',
    'telemetry/sdk/resource',
    '',
    'load the OpenTelemetry SDK (Error: Cannot find ',
  ],
  [
    'the SDK throws a text while it loads',
    'telemetry/telemetry-run',
    `throw 'a text';`,
    'load the OpenTelemetry SDK (a text)',
  ],
  [
    'the SDK throws nothing',
    'telemetry/telemetry-run',
    'throw undefined;',
    'load the OpenTelemetry SDK (undefined)',
  ],
  [
    'a top-level await rejects with an error that cannot be read',
    'telemetry/telemetry-run',
    `await Promise.reject(Object.defineProperty(new Error(), 'message', { get() { throw 1; } }));`,
    'load the OpenTelemetry SDK (an error that cannot be read)',
  ],
  [
    'an import has no such export',
    'telemetry/telemetry-run',
    `import { logs as none } from './semconv.js';`,
    `load the OpenTelemetry SDK (SyntaxError: The requested module './semconv.js' does not provide an export named 'logs')`,
  ],
  [
    'the providers cannot be made',
    'telemetry/sdk/providers',
    `makeProviders = () => { throw new TypeError('no providers'); };`,
    'start its telemetry (TypeError: no providers)',
  ],
  [
    'the start fails after the providers are registered',
    'telemetry/gauges/host-gauges',
    `startHostMetrics = () => { throw new RangeError('no gauges'); };`,
    'start its telemetry (RangeError: no gauges)',
  ],
  [
    'the start fails when everything runs',
    'telemetry/register/uncaught-exception',
    `watchUncaughtExceptions = () => { throw new Error('no watch'); };`,
    'start its telemetry (Error: no watch)',
  ],
];

describe('an application under a keelson/register that cannot start', () => {
  let app: AppFolder;
  let keelson: InstalledKeelson;

  beforeEach(() => {
    app = new AppFolder();
    keelson = new InstalledKeelson(app);
  });

  afterEach(() => app[Symbol.dispose]());

  const register = ['--import', 'keelson/register'];

  describe.each(Object.entries(APPLICATIONS))('as %s', (_kind, [file, code]) => {
    test.each(FAULTS)('runs as without it, with one warning, where %s', (_name, planted, fault, says) => {
      const main = app.write(file, code);
      const bare = keelson.node([main]);
      expect(bare).toMatchObject({
        status: 5,
        stdout: expect.stringContaining('"text":"served"'),
        stderr: '',
      });
      if (fault === '') keelson.remove(planted);
      else keelson.plant(planted, fault);
      const { stderr, ...rest } = keelson.node([...register, main]);
      expect(rest).toEqual({ status: bare.status, stdout: bare.stdout });
      expect(stderr.split('\n')).toEqual([expect.any(String), '']);
      expect(stderr).toContain(`keelson: keelson/register cannot ${says}`);
      expect(stderr).toContain(`; found: keelson `);
      expect(stderr).toContain(`. The application runs without Keelson's telemetry. Install keelson again`);
    });
  });
});

describe('an application under a keelson/register whose work in the background fails', () => {
  test.each([
    [
      'at the exit',
      'telemetry/journal/journal',
      `Journal.prototype.leave = () => { throw new Error('no end'); };`,
    ],
    [
      'in a timer',
      'telemetry/register/unsupported-versions',
      `watchVersions = (_, clock) => clock.setTimer(() => { throw new Error('no look'); }, 0);`,
    ],
  ])('ends as without it, with one warning: %s', (_name, file, fault) => {
    using app = new AppFolder();
    const keelson = new InstalledKeelson(app);
    keelson.plant(file, fault);
    const main = app.write('app.cjs', `setTimeout(() => { console.log('ran'); process.exitCode = 5; }, 50);`);
    const { stderr, ...rest } = keelson.node(['--import', 'keelson/register', main]);
    expect(rest).toEqual({ status: 5, stdout: 'ran\n' });
    expect(stderr.split('\n')).toEqual([
      expect.stringContaining("A task of Keelson's telemetry failed: Error: no "),
      '',
    ]);
  });
});
