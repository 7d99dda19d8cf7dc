import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkEnvironment } from '../../../../src/cli/doctor/machine-checks.ts';
import { satisfies } from '../../../../src/cli/doctor/node-range.ts';
import { EXIT } from '../../../../src/cli/frame/exit-codes.ts';
import { examine, folder, named } from './examination.ts';

describe('the machine', () => {
  const alone = [
    '--skip',
    'jaeger',
    '--skip',
    'prometheus',
    '--skip',
    'alertmanager',
    '--otlp',
    'http://127.0.0.1:1',
  ];

  test('needs the Node of package.json', async () => {
    const about = { version: '1.0.0', node: '20.19.0', supportedNode: '^22.23.0 || >=24.15.0' };
    expect(named((await examine(alone, { about })).checks, 'node')).toMatchObject({
      status: 'fail',
      detail: 'Expected Node ^22.23.0 || >=24.15.0, got 20.19.0.',
    });
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
    const inside = ['22.23.0', '22.99.0', '24.15.0', '24.15.1', '25.0.0'];
    const outside = ['20.19.0', '22.22.9', '23.5.0', '24.14.9'];
    expect(inside.filter((version) => !satisfies(version, engines.node))).toEqual([]);
    expect(outside.filter((version) => satisfies(version, engines.node))).toEqual([]);
    expect(() => satisfies('24.0.0', '~24')).toThrow('Expected a range');
  });

  test('needs a home that can be written; looking at it makes none and leaves nothing behind', async () => {
    const home = join(folder(), '.keelson');
    const missing = await examine([...alone, '--home', home]);
    expect(named(missing.checks, 'home')).toMatchObject({
      status: 'pass',
      detail: `${home} does not exist yet, and can be made.`,
    });
    expect(() => readdirSync(home)).toThrow('ENOENT');
    expect(readdirSync(join(home, '..'))).toEqual([]);
    expect(named((await examine([...alone, '--home', '/proc/keelson'])).checks, 'home')).toMatchObject({
      status: 'fail',
      detail: expect.stringContaining('/proc/keelson does not exist and cannot be made') as string,
    });

    mkdirSync(home, { mode: 0o700 });
    writeFileSync(join(home, 'queue.db'), '');
    expect(named((await examine([...alone, '--home', home])).checks, 'home').status).toBe('pass');
    expect(readdirSync(home)).toEqual(['queue.db']);
  });

  test('refuses a home that others can write, a link, and a file', async () => {
    const base = folder();
    const open = join(base, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    symlinkSync(base, join(base, 'link'));
    writeFileSync(join(base, 'file'), '');
    for (const [name, detail] of [
      ['open', 'others can write'],
      ['link', 'symbolic link'],
      ['file', 'not a folder'],
    ]) {
      const { code, checks } = await examine([...alone, '--home', join(base, name ?? '')]);
      expect(code).toBe(EXIT.unwell);
      expect(named(checks, 'home')).toMatchObject({ status: 'fail', remedy: expect.any(String) as string });
      expect(named(checks, 'home').detail).toContain(detail);
    }
    const { checks } = await examine([...alone, '--home', join(base, 'file', 'home')]);
    expect(named(checks, 'home').status).toBe('fail');
  });

  test('is warned of variables that do nothing, misspelt ones with the right name', async () => {
    const env = {
      OTEL_EXPORTER_OLTP_ENDPOINT: 'http://x',
      OTEL_CONFIG_FILE: 'otel.yaml',
      OTEL_TRACES_SAMPLER: 'sometimes',
      OTEL_SDK_DISABLED: 'true',
      OTEL_UNHEARD_OF_BY_ANYBODY: '1',
      OTEL_SERVICE_NAME: 'shop',
      KEELSON_HOME: '',
      PATH: '/bin',
    };
    const { checks } = await examine(alone, { env });
    const warnings = checks.filter(({ name }) => name === 'environment');
    expect(warnings.every(({ status }) => status === 'warn')).toBe(true);
    expect(warnings.map(({ detail, remedy }) => `${detail} ${remedy}`)).toEqual([
      expect.stringContaining('OTEL_CONFIG_FILE has no effect'),
      expect.stringContaining('Expected OTEL_TRACES_SAMPLER to be one of'),
      'OTEL_EXPORTER_OLTP_ENDPOINT is no variable that Keelson knows. Did you mean OTEL_EXPORTER_OTLP_ENDPOINT?',
      'OTEL_UNHEARD_OF_BY_ANYBODY is no variable that Keelson knows. Unset it, if it is meant for Keelson.',
      expect.stringContaining('no telemetry is made at all'),
    ]);
  });
});

test('the headers of all signals are said once to be none, without what they hold', () => {
  const found = checkEnvironment({ OTEL_EXPORTER_OTLP_HEADERS: 'Authorization: Bearer hunter2' });
  expect(found).toHaveLength(1);
  expect(found[0]?.status).toBe('warn');
  expect(found[0]?.detail).toContain('OTEL_EXPORTER_OTLP_HEADERS');
  expect(JSON.stringify(found)).not.toContain('hunter2');
});
