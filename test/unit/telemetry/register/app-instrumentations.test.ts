import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findInstrumentations, isChosen } from '../../../../src/telemetry/register/app-instrumentations.ts';
import { hookModules, isHooked } from '../../../../src/telemetry/register/module-hooks.ts';
import { AppFolder } from '../../../support/app-folder.ts';
import { RegisteredApp, spansBelow } from '../../../support/registered-app.ts';
import type { AppEnd } from '../../../support/registered-app.ts';

const NOTHING_SENT = {
  OTEL_TRACES_EXPORTER: 'none',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
};

describe('what an application has installed', () => {
  let app: AppFolder;

  beforeEach(() => {
    app = new AppFolder();
  });

  afterEach(() => app[Symbol.dispose]());

  const run = async (file: string, env: Readonly<Record<string, string>> = {}): Promise<AppEnd> => {
    await using child = new RegisteredApp({
      file,
      cwd: app.path,
      home: join(app.path, 'k'),
      env: { ...NOTHING_SENT, ...env },
    });
    return await child.ended;
  };
  const shipped = (): readonly string[] => spansBelow(join(app.path, 'k')).map(({ name }) => name);

  test.each(['shared', 'own copies'] as const)(
    'is instrumented in an ES module, with OpenTelemetry packages of the kind: %s',
    async (kind) => {
      app.addOpenTelemetry(kind);
      expect(await run(app.addParcel().module)).toEqual({
        code: 0,
        signal: null,
        stdout: 'a shipped b shipped\n',
        stderr: '',
      });
      expect(shipped()).toEqual(['ship a', 'ship b']);
    },
  );

  test.each(['shared', 'own copies'] as const)(
    'is instrumented in CommonJS, with OpenTelemetry packages of the kind: %s',
    async (kind) => {
      app.addOpenTelemetry(kind);
      expect(await run(app.addParcel().commonjs)).toMatchObject({ code: 0, stderr: '' });
      expect(shipped()).toEqual(['ship a']);
    },
  );

  test('stays off where a variable says so', async () => {
    app.addOpenTelemetry('shared');
    const { commonjs } = app.addParcel();
    await run(commonjs, { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'parcel' });
    await run(commonjs, { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http' });
    expect(shipped()).toEqual([]);
    await run(commonjs, { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'parcel' });
    expect(shipped()).toEqual(['ship a']);
  });

  test('is missed aloud where a variable names it and it is not there', async () => {
    const file = app.write('main.cjs', '');
    const { stderr, code } = await run(file, { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http,pg' });
    expect(stderr).toContain(
      'names pg, which is not installed: npm install @opentelemetry/instrumentation-pg\n',
    );
    expect(code).toBe(0);
  });

  test.each([
    ['throws when it is loaded', `throw new Error('broken package');`, 'stays off: Error: broken package'],
    ['exports nothing of the kind', `exports.setup = () => {};`, 'stays off: it exports no instrumentation'],
    [
      'throws when it is made',
      `exports.A = class { constructor() { throw new Error('cannot'); } enable() {} setTracerProvider() {} getConfig() {} };`,
      'stays off: Error: cannot',
    ],
    [
      'throws when it is enabled',
      `exports.A = class { instrumentationName = 'a'; enable() { throw new TypeError('no'); } setTracerProvider() {} setMeterProvider() {} getConfig() { return {}; } };`,
      'a cannot be enabled: TypeError: no. The rest goes on.',
    ],
  ])('is left out and said once where it %s; the rest goes on', async (_name, code, says) => {
    app.addOpenTelemetry('shared');
    app.addPackage('@opentelemetry/instrumentation-broken', code);
    const end = await run(app.addParcel().commonjs);
    expect(end).toMatchObject({ code: 0, stdout: 'a shipped\n' });
    expect(end.stderr.trimEnd().split('\n')).toEqual([expect.stringContaining(says)]);
    expect(shipped()).toEqual(['ship a']);
  });

  test('is left out and said where it speaks a newer API than Keelson', async () => {
    app.addPackage('@opentelemetry/api', '', { version: '1.99.0' });
    app.addPackage('@opentelemetry/instrumentation-later', 'throw new Error("must not be loaded");');
    const { stderr } = await run(app.write('main.cjs', ''));
    expect(stderr).toContain(
      'instrumentation-later is installed and stays off: it speaks @opentelemetry/api 1.99',
    );
  });

  test('is found once for each name, the nearest first, without what Keelson has itself', () => {
    for (const folder of ['', 'packages/shop/']) {
      for (const name of ['instrumentation-pg', 'instrumentation-http', 'sdk-trace']) {
        app.write(`${folder}node_modules/@opentelemetry/${name}/package.json`, '{}');
      }
    }
    app.write('node_modules/@opentelemetry/instrumentation-fastify/package.json', '{}');
    app.write('node_modules/@fastify/otel/package.json', '{}');
    const shop = join(app.path, 'packages/shop');
    expect(
      findInstrumentations([shop, app.path]).filter(({ folder }) => folder.startsWith(app.path)),
    ).toEqual([
      { name: 'pg', package: '@opentelemetry/instrumentation-pg', folder: join(shop, 'node_modules') },
      { name: 'fastify', package: '@fastify/otel', folder: join(app.path, 'node_modules') },
    ]);
  });

  test('is on, but for what is noise, what Keelson has, and what is for browsers', () => {
    const all = { enabled: undefined, disabled: [] };
    expect(['http', 'pg', 'anything'].every((name) => isChosen(name, all))).toBe(true);
    expect(['fs', 'runtime-node', 'fetch'].some((name) => isChosen(name, all))).toBe(false);
    expect(isChosen('fs', { enabled: ['fs'], disabled: [] })).toBe(true);
    expect(isChosen('fs', { enabled: ['fs'], disabled: ['fs'] })).toBe(false);
  });

  test('goes through the hooks with the files of its package, and nothing else does', () => {
    const inside = (file: string): string => `file:///app/node_modules/.pnpm/x@1/node_modules/${file}`;
    expect(isHooked('node:http', 'node:http')).toBe(true);
    expect(isHooked('node:fs', 'fs')).toBe(false);
    expect(isHooked(inside('@scope/lib/index.js'), '@scope/lib')).toBe(false);
    hookModules(['@scope/lib', 'fs', 'plain']);
    expect(isHooked('node:fs', 'fs')).toBe(true);
    expect(isHooked(inside('@scope/lib/index.js'), '@scope/lib')).toBe(true);
    expect(isHooked(inside('@scope/lib/inner.js'), './inner.js')).toBe(true);
    expect(isHooked(inside('plain/promise.js'), 'plain/promise')).toBe(true);
    expect(isHooked(inside('@scope/library/index.js'), '@scope/library')).toBe(false);
    expect(isHooked('file:///app/plain.js', './plain.js')).toBe(false);
  });
});
