import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { attributesOf, OtlpReceiver } from '../support/otlp-receiver.ts';
import type { ReceivedLog } from '../support/otlp-receiver.ts';
import { logsBelow, RegisteredApp, spansBelow } from '../support/registered-app.ts';
import type { AppEnd } from '../support/registered-app.ts';

const FATAL = 21;
const ERROR = 17;

interface Ending {
  readonly how: string;
  readonly nodeOptions?: readonly string[];
  /** The severity of its record of an exception; absent: there is none. */
  readonly severity?: number;
  readonly exception?: Readonly<Record<string, string>>;
}

const BOOM = { 'exception.type': 'Error', 'exception.message': 'boom token=[redacted]' };
const rejections = (mode: string): readonly string[] => [`--unhandled-rejections=${mode}`];

const ENDINGS: readonly (readonly [string, Ending])[] = [
  ['process.exit()', { how: 'exit' }],
  ['process.exitCode', { how: 'exitCode' }],
  ['process.exit() in an exit listener', { how: 'exitInExit' }],
  ['an uncaught exception', { how: 'throw', severity: FATAL, exception: BOOM }],
  ['an exception after process.exitCode', { how: 'throwAfterExitCode', severity: FATAL, exception: BOOM }],
  ['an exception while the main file loads', { how: 'topLevel', severity: FATAL }],
  ['a frozen error', { how: 'throwFrozen', severity: FATAL, exception: BOOM }],
  [
    'a thrown text',
    {
      how: 'throwString',
      severity: FATAL,
      exception: { 'exception.type': 'string', 'exception.message': 'a text with password=[redacted]' },
    },
  ],
  ['a thrown null', { how: 'throwNull', severity: FATAL, exception: { 'exception.type': 'null' } }],
  ['a thrown object that throws at every touch', { how: 'throwHostile', severity: FATAL }],
  ['an exception in an exit listener', { how: 'throwInExit', severity: FATAL }],
  ['an exception that a listener takes', { how: 'caught', severity: ERROR, exception: BOOM }],
  ['an exception that a capture callback takes', { how: 'captured', severity: ERROR, exception: BOOM }],
  ['an exception whose listener throws', { how: 'throwInListener', severity: ERROR, exception: BOOM }],
  ['an exception that a monitor of its own sees', { how: 'ownMonitor', severity: FATAL, exception: BOOM }],
  ['a rejection', { how: 'reject', severity: FATAL, exception: BOOM }],
  ['a rejection that a listener takes', { how: 'caughtRejection' }],
  [
    'a rejection, strict',
    { how: 'reject', nodeOptions: rejections('strict'), severity: FATAL, exception: BOOM },
  ],
  ['a rejection, warned of', { how: 'reject', nodeOptions: rejections('warn') }],
  ['a rejection, warned of with a code', { how: 'reject', nodeOptions: rejections('warn-with-error-code') }],
  ['a rejection, let pass', { how: 'reject', nodeOptions: rejections('none') }],
];

/** The random trace and the process's number differ between two runs; Node 22 adds a frame of its own wherever AsyncLocalStorage is in use. */
const comparable = ({ code, signal, stdout, stderr }: AppEnd): AppEnd => ({
  code,
  signal,
  stdout: stdout.replace(/trace \w+/, 'trace'),
  stderr: stderr
    .replaceAll(/\(node:\d+\)/g, '(node)')
    .replaceAll(/\n +at \w+\.callbackTrampoline \(node:internal\/async_hooks[:\d]+\)/g, ''),
});

describe.each([
  ['an ES module', 'ending-module.mjs'],
  ['CommonJS', 'ending-commonjs.cjs'],
])('the end of %s under keelson/register', (_kind, main) => {
  let home = '';
  let receiver = new OtlpReceiver();

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'keelson-end-'));
    receiver = await OtlpReceiver.start();
  });

  afterEach(async () => {
    await receiver.close();
    rmSync(home, { recursive: true, force: true });
  });

  test.each(ENDINGS)('%s: as without it, and nothing is lost', async (_name, ending) => {
    const { how, nodeOptions = [], severity, exception } = ending;
    const file = resolve('test/faults/fixtures', main);
    const env = { HOW: how, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
    await using bare = new RegisteredApp({ file, env, nodeOptions });
    await using registered = new RegisteredApp({ file, env, nodeOptions, home: join(home, 'k') });
    const [expected, got] = await Promise.all([bare.ended, registered.ended]);
    expect(comparable(got)).toEqual(comparable(expected));

    const records = logsBelow(join(home, 'k'));
    const names = spansBelow(join(home, 'k')).map(({ name }) => name);
    const own = (body: string): number => records.filter((log) => log.body.stringValue === body).length;
    // The main file has no exit listener yet while it loads, and Node calls none when a listener for exceptions throws.
    const heard = how !== 'topLevel' && how !== 'throwInListener';
    expect(names).toEqual(heard ? ['work', 'late'] : ['work']);
    expect(own('said')).toBe(1);
    expect(own('last words')).toBe(heard ? 1 : 0);

    const exceptions = records.filter(({ eventName }) => eventName === 'exception');
    const first: ReceivedLog | undefined = exceptions[0];
    expect(first?.severityNumber).toBe(severity);
    expect(attributesOf(first?.attributes ?? [])).toMatchObject(exception ?? {});
    expect(JSON.stringify(records)).not.toContain('hunter2');
  });

  test('ties the record of an exception to the span that was active, with its stack', async () => {
    const file = resolve('test/faults/fixtures', main);
    const env = { HOW: 'throw', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
    await using app = new RegisteredApp({ file, env, home: join(home, 'k') });
    const { stdout } = await app.ended;
    const record = logsBelow(join(home, 'k')).find(({ eventName }) => eventName === 'exception');
    expect(record?.traceId).toBe(/trace (\w+)/.exec(stdout)?.[1]);
    expect(attributesOf(record?.attributes ?? [])['exception.stacktrace']).toContain('ending.cjs');
  });
});
