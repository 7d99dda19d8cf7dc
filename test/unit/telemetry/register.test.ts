import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../support/free-port.ts';
import { attributesOf, eventually, OtlpReceiver } from '../../support/otlp-receiver.ts';

const REGISTER = resolve('dist/telemetry/register.js');
const FIXTURES = resolve('test/unit/telemetry/fixtures');
const CLIENT = 3;
const SERVER = 2;
const NOWHERE = 'http://127.0.0.1:9';

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

describe('node --import keelson/register', () => {
  let home = '';
  let receiver = new OtlpReceiver();
  const running = new Set<ChildProcess>();

  beforeAll(() => {
    if (!existsSync(REGISTER)) throw new Error('These tests run what is built: npm run build first.');
  });

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'keelson-register-'));
    receiver = await OtlpReceiver.start();
  });

  afterEach(async () => {
    for (const child of running) child.kill('SIGKILL');
    running.clear();
    await receiver.close();
    rmSync(home, { recursive: true, force: true });
  });

  const start = (fixture: string, env: Record<string, string> = {}, args: readonly string[] = []): Run => {
    const child = spawn(process.execPath, ['--import', REGISTER, join(FIXTURES, fixture), ...args], {
      env: {
        PATH: process.env['PATH'],
        KEELSON_HOME: join(home, 'k'),
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_PROMETHEUS_PORT: '0',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString('utf8');
      });
    }
    const ended = new Promise<{ code: number | null; signal: string | null }>((done) => {
      child.on('close', (code, signal) => {
        running.delete(child);
        done({ code, signal });
      });
    });
    return { child, output: () => output, ended };
  };
  const kinds = (): number[] => receiver.spans.map(({ kind }) => kind).sort((a, b) => a - b);

  test.each([
    ['a named import of an ESM application', 'esm-named.mjs', '/named'],
    ['a default import of an ESM application', 'esm-default.mjs', '/default'],
    ['require of a CommonJS application', 'cjs.cjs', '/cjs'],
    ['fetch', 'fetch.mjs', '/fetch'],
  ])('gives %s its client span and its server span, once, in one trace', async (_name, fixture, path) => {
    const run = start(fixture);
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(run.output()).toBe('');
    expect(kinds()).toEqual([SERVER, CLIENT]);
    const client = receiver.spans.find(({ kind }) => kind === CLIENT);
    const server = receiver.spans.find(({ kind }) => kind === SERVER);
    expect(String(attributesOf(client?.attributes ?? [])['url.full'])).toContain(path);
    expect(server).toMatchObject({ traceId: client?.traceId, parentSpanId: client?.spanId });
  });

  test('neither traces nor measures scrapes', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/metrics`;
    const run = start('scrape.mjs', { OTEL_EXPORTER_PROMETHEUS_PORT: String(port), SCRAPE_URL: url });
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(run.output()).toContain('scraped 200');
    expect(kinds().filter((kind) => kind === SERVER)).toEqual([]);
    expect(receiver.metrics.map(({ name }) => name)).not.toContain('http.server.request.duration');
    const measured = receiver.metrics.filter(({ name }) => name === 'http.client.request.duration');
    const ports = measured
      .flatMap(({ histogram }) => histogram?.dataPoints ?? [])
      .map(({ attributes }) => attributesOf(attributes)['server.port']);
    expect(new Set(ports)).toEqual(new Set([port]));
  });

  test('ends by the signal that nobody listens to, after it has sent what waits', async () => {
    const run = start('server.mjs');
    await eventually(() => run.output().includes('ready'), 'the service');
    run.child.kill('SIGTERM');
    expect(await run.ended).toEqual({ code: null, signal: 'SIGTERM' });
    expect(kinds()).toEqual([SERVER, CLIENT]);
  });

  test('leaves the end to a service that listens to the signal itself', async () => {
    const run = start('server.mjs', { OWN_LISTENER: '1' });
    await eventually(() => run.output().includes('ready'), 'the service');
    run.child.kill('SIGTERM');
    expect(await run.ended).toEqual({ code: 7, signal: null });
    expect(kinds()).toEqual([SERVER, CLIENT]);
  });

  test('does not take a listener that only watches for one that ends the process', async () => {
    const run = start('watched.mjs');
    await eventually(() => run.output().includes('ready'), 'the service');
    run.child.kill('SIGTERM');
    expect(await run.ended).toEqual({ code: null, signal: 'SIGTERM' });
    expect(run.output()).toBe('ready\nwatched the end\n');
  });

  test('ends within its deadline when the receiver hangs, and at once at the second signal', async () => {
    receiver.mode = 'hang';
    const run = start('server.mjs');
    await eventually(() => run.output().includes('ready'), 'the service');
    run.child.kill('SIGINT');
    await receiver.until(() => receiver.attempts > 0, 'the flush');
    run.child.kill('SIGINT');
    expect(await run.ended).toEqual({ code: null, signal: 'SIGINT' });
  });

  test('says which Node it needs to one that is too old, and leaves the application as it is', async () => {
    const old = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}})`;
    const args = ['--import', old, '--import', REGISTER, join(FIXTURES, 'exit.mjs')];
    const run = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      env: { KEELSON_HOME: join(home, 'k') },
    });
    const without = spawnSync(process.execPath, [join(FIXTURES, 'exit.mjs')], { encoding: 'utf8' });
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
    expect(run.status).toBe(without.status);
    expect(run.stdout).toBe(without.stdout);
    expect(run.stderr).toContain(`needs Node ${engines.node}, and this is Node 20.20.2`);
    expect(run.stderr.replace(/^keelson: .*\n/, '')).toBe(without.stderr);
    expect(existsSync(join(home, 'k'))).toBe(false);
  });

  test('keeps no process alive when the receiver is away, says so once, and has the spans on disk', async () => {
    const before = performance.now();
    const run = start('esm-named.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: NOWHERE });
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - before).toBeLessThan(8_000);
    expect(run.output().split('\n')).toEqual([expect.stringContaining('is away (ECONNREFUSED)'), '']);
    expect(readdirSync(join(home, 'k', 'telemetry', 'traces'))).toHaveLength(1);
  });

  test('is not kept alive by a receiver that hangs for longer than the process has to do', async () => {
    receiver.mode = 'hang';
    const run = start('esm-named.mjs', {
      OTEL_METRIC_EXPORT_INTERVAL: '5',
      OTEL_EXPORTER_OTLP_TIMEOUT: '60000',
    });
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(receiver.attempts).toBeGreaterThan(0);
  });

  test.each([
    ['process.exit()', 'exit', 3],
    ['an uncaught exception', 'throw', 1],
  ])('leaves the exit code of %s alone, and has the spans on disk', async (_name, how, code) => {
    const run = start('exit.mjs', { HOW: how });
    expect(await run.ended).toEqual({ code, signal: null });
    const folder = join(home, 'k', 'telemetry', 'traces');
    const text = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('');
    expect(text).toContain('/work');
  });

  test('prints and sends no secret of the command line or of the headers', async () => {
    const env = { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20hunter2', OTEL_LOG_LEVEL: 'debug' };
    const run = start('esm-named.mjs', env, ['--password=hunter2']);
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(receiver.requests[0]?.headers.authorization).toBe('Bearer hunter2');
    expect(run.output()).not.toContain('hunter2');
    expect(JSON.stringify(receiver.requests.map(({ body }) => body))).not.toContain('hunter2');
  });

  test('runs in the main thread only', async () => {
    const run = start('worker.mjs');
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(run.output()).toBe('main running\nworker undefined\n');
  });

  test('does not measure its own requests', async () => {
    const run = start('server.mjs', { OTEL_METRIC_EXPORT_INTERVAL: '50' });
    await receiver.until(() => receiver.of('metrics').length > 4, 'several pushes');
    const ports = receiver.metrics
      .filter(({ name }) => name === 'http.client.request.duration')
      .flatMap(({ histogram }) => histogram?.dataPoints ?? [])
      .map(({ attributes }) => String(attributesOf(attributes)['server.port']));
    expect(ports.length).toBeGreaterThan(0);
    expect(ports).not.toContain(new URL(receiver.url).port);
    run.child.kill('SIGTERM');
    await run.ended;
  });

  test('instruments only what the variables leave on', async () => {
    const run = start('fetch.mjs', { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'undici' });
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(kinds()).toEqual([SERVER]);
  });
});
