import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { attributesOf, eventually, OtlpReceiver } from '../support/otlp-receiver.ts';
import { RegisteredApp, spansBelow } from '../support/registered-app.ts';

/** The deadline of the flush, and time for a process of a busy machine to end. */
const DEADLINE_MS = 3_000;
const SLACK_MS = 4_000;

describe.each([
  ['an ES module', 'serving-module.mjs'],
  ['CommonJS', 'serving-commonjs.cjs'],
])('a signal to %s under keelson/register', (_kind, main) => {
  let home = '';
  let receiver = new OtlpReceiver();

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'keelson-signal-'));
    receiver = await OtlpReceiver.start();
  });

  afterEach(async () => {
    await receiver.close();
    rmSync(home, { recursive: true, force: true });
  });

  const start = async (atSigterm = ''): Promise<{ app: RegisteredApp; url: string }> => {
    const app = new RegisteredApp({
      file: resolve('test/faults/fixtures', main),
      home,
      env: { AT_SIGTERM: atSigterm, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    });
    const port = (): string | undefined => /port (\d+)/.exec(app.stdout)?.[1];
    await eventually(() => port() !== undefined, 'the service');
    return { app, url: `http://127.0.0.1:${port()}` };
  };
  const owners = (): string[] => readdirSync(join(home, 'telemetry', 'owners'));
  const paths = (spans: OtlpReceiver['spans']): unknown[] =>
    spans.map(({ attributes }) => attributesOf(attributes)['url.path']);

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s that nobody listens to: what waits arrives, then the process ends by it',
    async (signal) => {
      const { app, url } = await start();
      await using _app = app;
      await (await fetch(`${url}/before`)).text();
      app.child.kill(signal);
      expect(await app.ended).toMatchObject({ code: null, signal, stderr: '' });
      expect(paths(receiver.spans)).toEqual(['/before']);
      expect(owners()).toEqual([expect.stringMatching(/cursor\.json$/)]);
    },
  );

  test('SIGTERM to a service that drains: the requests of its last second arrive too', async () => {
    const { app, url } = await start('drain');
    await using _app = app;
    const slow = fetch(`${url}/slow`);
    await (await fetch(`${url}/before`)).text();
    app.child.kill('SIGTERM');
    expect((await slow).status).toBe(200);
    const end = await app.ended;
    expect(end).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(end.stdout).toContain('draining\ndrained\n');
    expect(paths(receiver.spans)).toEqual(['/before', '/slow']);
  });

  test('SIGTERM to a service that drains and calls process.exit(): they have arrived or are on disk', async () => {
    const { app, url } = await start('drainThenExit');
    await using _app = app;
    const slow = fetch(`${url}/slow`);
    await (await fetch(`${url}/before`)).text();
    app.child.kill('SIGTERM');
    await (await slow).text();
    expect(await app.ended).toMatchObject({ code: 5, signal: null, stderr: '' });
    expect(paths(receiver.spans)).toContain('/before');
    expect(paths(spansBelow(home))).toEqual(['/before', '/slow']);
  });

  test('SIGTERM to a service that stays: it stays, and its telemetry goes on', async () => {
    const { app, url } = await start('ignore');
    await using _app = app;
    app.child.kill('SIGTERM');
    await eventually(() => app.stdout.includes('ignored'), 'the listener');
    await (await fetch(`${url}/after`)).text();
    await receiver.until(() => paths(receiver.spans).includes('/after'), 'a span after the signal');
    expect(app.child.exitCode).toBeNull();
  });

  test('a receiver that hangs: the process ends by the signal within the deadline', async () => {
    const { app, url } = await start();
    await using _app = app;
    receiver.mode = 'hang';
    await (await fetch(`${url}/before`)).text();
    const before = performance.now();
    app.child.kill('SIGTERM');
    expect(await app.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(performance.now() - before).toBeLessThan(DEADLINE_MS + SLACK_MS);
    expect(paths(spansBelow(home))).toEqual(['/before']);
  });

  test('a second signal, of the other kind, ends it at once', async () => {
    const { app, url } = await start();
    await using _app = app;
    receiver.mode = 'hang';
    await (await fetch(`${url}/before`)).text();
    app.child.kill('SIGTERM');
    await receiver.until(() => receiver.attempts > 0, 'the flush');
    const before = performance.now();
    app.child.kill('SIGINT');
    expect(await app.ended).toMatchObject({ code: null, signal: 'SIGINT' });
    expect(performance.now() - before).toBeLessThan(DEADLINE_MS);
    expect(owners().filter((name) => name.endsWith('.lock'))).toEqual([]);
    expect(paths(spansBelow(home))).toEqual(['/before']);
  });

  test('what ends while the flush waits is on disk', async () => {
    const { app, url } = await start();
    await using _app = app;
    receiver.mode = 'hang';
    await (await fetch(`${url}/before`)).text();
    app.child.kill('SIGTERM');
    await receiver.until(() => receiver.attempts > 0, 'the flush');
    await (await fetch(`${url}/meanwhile`)).text();
    await app.ended;
    expect(paths(spansBelow(home))).toEqual(['/before', '/meanwhile']);
  });
});
