import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppFolder } from '../../support/app-folder.ts';
import { InstalledKeelson } from '../../support/installed-keelson.ts';
import { spansBelow } from '../../support/registered-app.ts';

const REGISTER = ['--import', 'keelson/register'];
const UNDICI = '@opentelemetry/instrumentation-undici';
const FETCH_AND_SPAN = `
  import { get, createServer } from 'node:http';
  import { trace } from '@opentelemetry/api';
  trace.getTracer('t').startSpan('made').end();
  const server = createServer((request, response) => response.end('served')).listen(0, '127.0.0.1', async () => {
    const url = 'http://127.0.0.1:' + server.address().port;
    console.log(await (await fetch(url)).text());
    get(url, (response) => { response.resume(); console.log('got'); server.close(); server.closeIdleConnections(); });
  });
`;
/** An instrumentation whose patch changes half of what it should, and then throws. */
const BROKEN_PATCH = `
  const { InstrumentationBase, InstrumentationNodeModuleDefinition } = require('@opentelemetry/instrumentation');
  exports.BrokenInstrumentation = class extends InstrumentationBase {
    constructor(config) { super('instrumentation-broken', '1.0.0', config); }
    init() {
      const patch = (library) => { throw Object.defineProperty(new Error(), 'message', { get() { throw 1; } }); };
      return ['parcel', 'parcel-esm'].map((name) => new InstrumentationNodeModuleDefinition(name, ['*'], patch));
    }
  };
`;

describe('one instrumentation that fails under keelson/register', () => {
  let app: AppFolder;
  let keelson: InstalledKeelson;

  beforeEach(() => {
    app = new AppFolder();
    keelson = new InstalledKeelson(app);
  });

  afterEach(() => app[Symbol.dispose]());

  const kinds = (): readonly number[] =>
    spansBelow(`${app.path}/k`)
      .map(({ kind }) => kind)
      .sort((a, b) => a - b);
  const INTERNAL = 1;
  const SERVER = 2;
  const CLIENT = 3;

  test('leaves the rest on where npm has placed it beside an older API, and says which version to install', () => {
    const older = 'exports.trace = exports.context = undefined;';
    app.addPackage('@opentelemetry/api', older, { version: '1.9.1' });
    keelson.uninstall(UNDICI);
    app.copy(UNDICI);
    app.copy('@opentelemetry/instrumentation');
    for (const name of [
      '@opentelemetry/core',
      '@opentelemetry/semantic-conventions',
      'import-in-the-middle',
      'require-in-the-middle',
    ])
      app.link(name);
    const main = app.write('app.mjs', FETCH_AND_SPAN.replaceAll(/.*trace.*\n/g, ''));
    const { stderr, ...rest } = keelson.node([...REGISTER, main]);
    expect(rest).toEqual({ status: 0, stdout: 'served\ngot\n' });
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(
        /^keelson: @opentelemetry\/instrumentation-undici stays off \(SyntaxError: .*'@opentelemetry\/api' does not provide an export named '\w+'\); found: @opentelemetry\/api 1\.9\.1 beside @opentelemetry\/instrumentation-undici [\d.]+\. fetch is not traced, and the rest of the telemetry goes on\. Run: npm install @opentelemetry\/api@1\.10\.0$/,
      ),
      '',
    ]);
    expect(kinds()).toEqual([SERVER, SERVER, CLIENT]);
  });

  test.each([
    ['is not installed', undefined, 'is missing'],
    ['throws a symbol in its constructor', `constructor() { throw Symbol('no'); }`, 'Symbol(no)'],
    [
      'reads a constant that an older package does not have',
      `constructor() { undefined.match(/x/); }`,
      `TypeError: Cannot read properties of undefined (reading 'match')`,
    ],
    [
      'throws undefined when it is enabled',
      `enable() { throw undefined; }`,
      'undici cannot be enabled: undefined',
    ],
    [
      'has a name that is a symbol, and throws when it is enabled and disabled',
      `get instrumentationName() { return Symbol('n'); } enable() { throw 1; } disable() { throw 2; }`,
      'An instrumentation without a name cannot be enabled: 1',
    ],
  ])('leaves the rest on where it %s', (_name, members, says) => {
    app.link('@opentelemetry/api');
    if (members === undefined) keelson.uninstall(UNDICI);
    else {
      const methods = `instrumentationName = 'undici'; setTracerProvider() {} setMeterProvider() {} getConfig() { return {}; } disable() {}`;
      const known = members.includes('instrumentationName')
        ? methods.replace("instrumentationName = 'undici';", '')
        : methods;
      keelson.replace(UNDICI, `export class UndiciInstrumentation { ${known} ${members} }`);
    }
    const { stderr, ...rest } = keelson.node([...REGISTER, app.write('app.mjs', FETCH_AND_SPAN)]);
    expect(rest).toEqual({ status: 0, stdout: 'served\ngot\n' });
    expect(stderr.split('\n')).toEqual([expect.stringContaining(says), '']);
    expect(kinds()).toEqual([INTERNAL, SERVER, SERVER, CLIENT]);
  });

  test.each(['module', 'commonjs'] as const)(
    'leaves the module as it is where its patch throws, in an application of the kind: %s',
    (kind) => {
      app.addOpenTelemetry('shared');
      const applications = app.addParcel();
      app.addPackage('@opentelemetry/instrumentation-parcel', BROKEN_PATCH);
      const { stderr, ...rest } = keelson.node([...REGISTER, applications[kind]]);
      expect(rest).toEqual({
        status: 0,
        stdout: kind === 'module' ? 'a shipped b shipped\n' : 'a shipped\n',
      });
      expect(stderr.split('\n')).toEqual([
        'keelson: instrumentation-broken cannot instrument a module: an error that cannot be read. The application has the module without it. Take versions that fit together.',
        '',
      ]);
    },
  );
});
