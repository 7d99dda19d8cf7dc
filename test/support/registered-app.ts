import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ReceivedBody, ReceivedLog, ReceivedSpan } from './otlp-receiver.ts';

const REGISTER = resolve('dist/telemetry/register.js');

/** The Node that applications of tests run on; `KEELSON_TEST_NODE` names another one than that of the tests. */
const NODE = process.env['KEELSON_TEST_NODE'] ?? process.execPath;

/** How an application is started. */
export interface AppOptions {
  /** Absolute path of its main file. */
  readonly file: string;
  /** Folder of its telemetry; absent: it runs without Keelson. */
  readonly home?: string | undefined;
  /** Added to a small environment of its own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further options of Node. */
  readonly nodeOptions?: readonly string[];
  readonly cwd?: string;
  readonly args?: readonly string[];
}

/** How a process ended, and what it wrote. */
export interface AppEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An application in a process of its own, with or without `--import keelson/register`. Use with `await using`. */
export class RegisteredApp {
  readonly child: ChildProcess;
  readonly ended: Promise<AppEnd>;
  stdout = '';
  stderr = '';

  constructor({ file, home, env, nodeOptions = [], cwd, args = [] }: AppOptions) {
    if (!existsSync(REGISTER)) throw new Error('These tests run what is built: npm run build first.');
    // An empty preload, so that both kinds load their main file the same way.
    const preload = home === undefined ? 'data:text/javascript,' : REGISTER;
    const child = spawn(NODE, ['--import', preload, ...nodeOptions, file, ...args], {
      cwd,
      env: {
        PATH: process.env['PATH'],
        OTEL_EXPORTER_PROMETHEUS_PORT: '0',
        ...(home !== undefined && { KEELSON_HOME: home }),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (chunk: Buffer) => (this.stdout += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString('utf8')));
    this.child = child;
    this.ended = new Promise((done) => {
      child.on('close', (code, signal) => {
        done({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/** Every batch of a signal that lies below a home. */
function bodiesBelow(home: string, signal: 'traces' | 'logs'): readonly ReceivedBody[] {
  const folder = join(home, 'telemetry', signal);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line): ReceivedBody => JSON.parse(line));
}

/** The spans on disk below a home. */
export function spansBelow(home: string): readonly ReceivedSpan[] {
  return bodiesBelow(home, 'traces')
    .flatMap(({ resourceSpans }) => resourceSpans ?? [])
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans);
}

/** The log records on disk below a home. */
export function logsBelow(home: string): readonly ReceivedLog[] {
  return bodiesBelow(home, 'logs')
    .flatMap(({ resourceLogs }) => resourceLogs ?? [])
    .flatMap(({ scopeLogs }) => scopeLogs)
    .flatMap(({ logRecords }) => logRecords);
}
