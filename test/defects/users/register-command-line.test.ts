import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppFolder } from '../../support/app-folder.ts';
import { InstalledKeelson } from '../../support/installed-keelson.ts';
import { spansBelow } from '../../support/registered-app.ts';

const REGISTER = ['--import', 'keelson/register'];
/** Makes a span, so that a test can tell that the telemetry runs. */
const SPAN = `require('@opentelemetry/api').trace.getTracer('t').startSpan('made').end();`;
const preload = (code: string): readonly string[] => ['--import', `data:text/javascript,${code}`];

describe('keelson/register', () => {
  let app: AppFolder;
  let keelson: InstalledKeelson;

  beforeEach(() => {
    app = new AppFolder();
    keelson = new InstalledKeelson(app);
    app.link('@opentelemetry/api');
  });

  afterEach(() => app[Symbol.dispose]());

  const spans = (): readonly string[] => spansBelow(`${app.path}/k`).map(({ name }) => name);

  test.each([
    [
      'from standard input, named by a dash',
      ['-'],
      `console.log('ran', process.argv[2] ?? '');${SPAN}`,
      'ran \n',
    ],
    [
      'from standard input with an argument',
      ['-', 'x'],
      `console.log('ran', process.argv[2]);${SPAN}`,
      'ran x\n',
    ],
    ['from -e with an argument', ['-e', `console.log('ran', process.argv[1]);${SPAN}`, 'x'], '', 'ran x\n'],
    [
      'from -e with a path that does not exist',
      ['-e', `console.log('ran');${SPAN}`, '/no/such'],
      '',
      'ran\n',
    ],
    [
      'from -p with a relative path',
      ['-p', `${SPAN} process.argv[1]`, 'some/argument'],
      '',
      'some/argument\n',
    ],
    [
      'from -e with an option of its own',
      ['-e', `console.log('ran');${SPAN}`, '--', '--port=1'],
      '',
      'ran\n',
    ],
  ])('runs with a script %s', (_name, args, input, stdout) => {
    expect(keelson.node([...REGISTER, ...args], input)).toEqual({ status: 0, stdout, stderr: '' });
    expect(spans()).toEqual(['made']);
  });

  test('sends no argument of a script as the command, which may be a password', () => {
    keelson.node([...REGISTER, '-e', SPAN, '/hunter2']);
    const folder = join(app.path, 'k/telemetry/traces');
    const written = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    expect(written.join('')).toContain('"name":"made"');
    expect(written.join('')).not.toContain('hunter2');
  });

  test.each([
    ['no arguments', `process.argv=undefined`],
    ['arguments that are no texts', `process.argv=[1,{}]`],
    ['a main file that does not exist', `process.argv=[process.argv[0],'/no/such/file.js']`],
  ])('runs in a process that has %s', (_name, code) => {
    const file = app.write('app.cjs', `console.log('ran');${SPAN}`);
    const ended = keelson.node([...preload(code), ...REGISTER, file]);
    expect(ended).toEqual({ status: 0, stdout: 'ran\n', stderr: '' });
    expect(spans()).toEqual(['made']);
  });

  test.each([
    ['whose options are no list', `Object.defineProperty(process,'execArgv',{value:null})`],
    ['whose versions cannot be read', `Object.defineProperty(process,'versions',{get(){throw 1}})`],
    ['whose working directory is gone', `process.cwd=()=>{throw new Error('ENOENT')}`],
  ])('leaves a process alone %s', (_name, code) => {
    const file = app.write('app.cjs', `console.log('ran');`);
    const ended = keelson.node([...preload(code), ...REGISTER, file]);
    expect(ended).toMatchObject({ status: 0, stdout: 'ran\n' });
    expect(ended.stderr).toMatch(/^keelson: keelson\/register cannot [^\n]+\n$/);
  });

  test.each([
    ['is not there', `Object.defineProperty(process,'stderr',{value:undefined})`],
    ['throws when it is written to', `process.stderr.write=()=>{throw 1}`],
  ])('leaves a process alone whose standard error %s', (_name, code) => {
    const file = app.write('app.cjs', `console.log('ran');`);
    keelson.plant('telemetry/run', 'throw 1;');
    const ended = keelson.node([...preload(code), ...REGISTER, file]);
    expect(ended).toEqual({ status: 0, stdout: 'ran\n', stderr: '' });
  });

  test('leaves a process alone whose standard error is closed at the other end', async () => {
    const file = app.write('app.cjs', `setImmediate(() => { console.log('ran'); process.exitCode = 5; });`);
    keelson.plant('telemetry/run', 'throw 1;');
    const child = spawn(process.execPath, [...REGISTER, file], {
      cwd: app.path,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stderr.destroy();
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
    expect(await once(child, 'close')).toEqual([5, null]);
    expect(stdout).toBe('ran\n');
  });

  test.each([
    ['--require', ['--require', 'keelson/register'], ''],
    ['require in the application', [], `require('keelson/register');`],
  ])('warns once where it is loaded with %s, and the application runs', (_name, options, code) => {
    const file = app.write('app.cjs', `${code}console.log('ran');process.exitCode = 5;`);
    const { stderr, ...rest } = keelson.node([...options, file]);
    expect(rest).toEqual({ status: 5, stdout: 'ran\n' });
    expect(stderr.split('\n')).toEqual([expect.stringContaining('cannot be loaded with --require'), '']);
  });

  test('has no objection to require where it runs already, nor in a worker', () => {
    const worker = `new (require('node:worker_threads').Worker)('', { eval: true });`;
    const file = app.write('app.cjs', `require('keelson/register');${worker}${SPAN}`);
    expect(keelson.node([...REGISTER, file])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(spans()).toEqual(['made']);
  });
});
