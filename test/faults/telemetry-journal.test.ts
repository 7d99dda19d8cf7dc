import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, OtlpReceiver } from '../support/otlp-receiver.ts';

/** Twenty processes that start at once on a busy machine take a while. */
const START_MS = 60_000;
const SERVICE = join(import.meta.dirname, 'fixtures', 'journal-service.ts');

describe('processes on one home', () => {
  let home = '';
  let receiver = new OtlpReceiver();
  let services: ChildProcess[] = [];

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'keelson-processes-'));
    receiver = await OtlpReceiver.start();
    services = [];
  });

  afterEach(async () => {
    for (const service of services) service.kill('SIGKILL');
    await receiver.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** Starts a service, and waits until it says how many of its spans are on disk. */
  async function start(
    name: string,
    spans: number,
    ...options: readonly string[]
  ): Promise<{ service: ChildProcess; written: number }> {
    const service = spawn(process.execPath, [...options, SERVICE, name, String(spans)], {
      env: {
        ...process.env,
        KEELSON_HOME: home,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_PROMETHEUS_PORT: '0',
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    services.push(service);
    let output = '';
    service.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    await eventually(() => output.includes('\n'), `${name} to have written`, START_MS);
    return { service, written: Number(output.replace(/\D/g, '')) };
  }

  async function kill(service: ChildProcess): Promise<void> {
    service.kill('SIGKILL');
    await once(service, 'exit');
  }

  async function end(service: ChildProcess): Promise<void> {
    service.stdin?.end();
    await once(service, 'exit');
  }

  const names = (): string[] => receiver.spans.map(({ name }) => name).sort();
  const expected = (name: string, spans: number): string[] =>
    Array.from({ length: spans }, (_, i) => `${name}-${i}`);
  const owners = (): string[] => readdirSync(join(home, 'telemetry', 'owners'));

  test('a kill -9 in an outage loses nothing that was acknowledged: the next process sends it, once', async () => {
    receiver.mode = { status: 503 };
    const { service, written } = await start('killed', 200);
    expect(written).toBe(200);
    await kill(service);
    receiver.mode = 'take';
    await start('next', 0);
    await receiver.until(() => receiver.spans.length >= 200, 'the spans of the dead process');
    expect(names()).toEqual(expected('killed', 200).sort());
    await eventually(() => owners().every((name) => !name.startsWith(`${service.pid}-`)), 'the lock to go');
  });

  test('several processes keep apart what they write, and each sends its own', async () => {
    const running = await Promise.all(['a', 'b', 'c'].map((name) => start(name, 50)));
    await receiver.until(() => receiver.spans.length >= 150, 'the spans of all');
    expect(names()).toEqual(['a', 'b', 'c'].flatMap((name) => expected(name, 50)).sort());
    await Promise.all(running.map(({ service }) => end(service)));
  });

  test('several processes that find orphans take each over once', async () => {
    receiver.mode = { status: 503 };
    const dead = await Promise.all(['x', 'y', 'z'].map((name) => start(name, 100)));
    await Promise.all(dead.map(({ service }) => kill(service)));
    receiver.mode = 'take';
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => start(name, 0)));
    await receiver.until(() => receiver.spans.length >= 300, 'the spans of the dead');
    expect(names()).toEqual(['x', 'y', 'z'].flatMap((name) => expected(name, 100)).sort());
  });

  test(
    'twenty processes that start at once share what the dead left, and each sends its own: all of it once',
    async () => {
      receiver.mode = { status: 503 };
      const dead = await Promise.all(['x', 'y'].map((name) => start(name, 200)));
      await Promise.all(dead.map(({ service }) => kill(service)));
      receiver.mode = 'take';
      const many = Array.from({ length: 20 }, (_, i) => `p${i}`);
      const running = await Promise.all(many.map((name) => start(name, 10)));
      await receiver.until(() => receiver.spans.length >= 600, 'the spans of all', START_MS);
      const all = [
        ...['x', 'y'].flatMap((name) => expected(name, 200)),
        ...many.flatMap((name) => expected(name, 10)),
      ];
      expect(names()).toEqual(all.sort());
      const living = new Set(running.map(({ service }) => String(service.pid)));
      await eventually(
        () => owners().every((name) => living.has(name.split('-')[0] ?? '')),
        'the owners that are dead to go',
        START_MS,
      );
      await Promise.all(running.map(({ service }) => end(service)));
      expect(names()).toHaveLength(600);
      expect(owners().filter((name) => name.endsWith('.lock'))).toEqual([]);
    },
    2 * START_MS,
  );

  test('with its own requests instrumented, neither the first tries nor the backlog are traced', async () => {
    receiver.mode = { status: 503 };
    const register = ['--import', resolve('dist/telemetry/register.js')];
    await kill((await start('dead', 20, ...register)).service);
    const { service } = await start('next', 20, ...register);
    receiver.mode = 'take';
    await receiver.until(() => receiver.spans.length >= 40, 'all spans');
    await end(service);
    expect(names()).toEqual([...expected('dead', 20), ...expected('next', 20)].sort());
  });

  test('a process that ends in order in an outage leaves what waits to the next', async () => {
    receiver.mode = { status: 503 };
    const { service } = await start('first', 30);
    await end(service);
    expect(owners().filter((name) => name.endsWith('.lock'))).toEqual([]);
    receiver.mode = 'take';
    await start('second', 0);
    await receiver.until(() => receiver.spans.length >= 30, 'the spans of the first');
    expect(names()).toEqual(expected('first', 30).sort());
  });

  /** Runs a process that ends of itself, under `keelson/register`. */
  async function runShort(name: string): Promise<void> {
    const file = join(import.meta.dirname, 'fixtures', 'short-lived.ts');
    const env = {
      ...process.env,
      KEELSON_HOME: home,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
      OTEL_METRICS_EXPORTER: 'none',
    };
    const short = spawn(process.execPath, ['--import', resolve('dist/telemetry/register.js'), file, name], {
      env,
      stdio: 'ignore',
    });
    services.push(short);
    await once(short, 'exit');
  }

  test('a process that ends of itself leaves no lock, and what it delivered is archived by the next', async () => {
    await runShort('one');
    expect(names()).toEqual(['one']);
    expect(owners()).toEqual([expect.stringMatching(/\.cursor\.json$/)]);
    await runShort('two');
    expect(names()).toEqual(['one', 'two']);
    expect(readdirSync(join(home, 'telemetry', 'traces')).map((name) => name.replace(/^.*?\./, ''))).toEqual([
      'jsonl.gz',
      'jsonl',
    ]);
    expect(owners()).toHaveLength(1);
  });

  test('processes that live too short for a look send what those before them could not', async () => {
    receiver.mode = { status: 503 };
    await runShort('one');
    await runShort('two');
    expect(owners().filter((name) => name.endsWith('.lock'))).toEqual([]);
    receiver.mode = 'take';
    await runShort('three');
    expect(names()).toEqual(['one', 'three', 'two']);
    expect(owners()).toEqual([expect.stringMatching(/\.cursor\.json$/)]);
  });

  test('a kill -9 while the backlog is sent loses nothing either', async () => {
    receiver.mode = { status: 503 };
    const { service: first } = await start('first', 500);
    await kill(first);
    receiver.mode = 'take';
    const { service: second } = await start('second', 0);
    await receiver.until(() => receiver.spans.length > 0, 'the first of the backlog');
    await kill(second);
    await start('third', 0);
    await receiver.until(() => new Set(names()).size === 500, 'all of the backlog');
    expect([...new Set(names())]).toEqual(expected('first', 500).sort());
  });
});
