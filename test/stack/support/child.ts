import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';

const LEASH = join(import.meta.dirname, 'leash.ts');
const KEPT_OUTPUT = 8_000;
const MAX_STDOUT = 4_000_000;

/** A process of the run, on a leash: it is stopped by its own id, and ends by itself when the test does. */
export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;
  #output = '';
  #stdout = '';

  constructor(
    name: string,
    command: string,
    args: readonly string[],
    cwd: string,
    env: NodeJS.ProcessEnv = process.env,
  ) {
    this.name = name;
    this.#process = spawn(process.execPath, [LEASH, command, ...args], { cwd, env, stdio: 'pipe' });
    this.#closed = once(this.#process, 'close');
    this.#process.stdin?.on('error', () => undefined);
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout = (this.#stdout + text).slice(-MAX_STDOUT);
      this.#keep(text);
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => this.#keep(text));
  }

  /** The last of what it wrote. */
  get output(): string {
    return this.#output;
  }

  /** What it wrote to its standard output. */
  get stdout(): string {
    return this.#stdout;
  }

  /** @returns its exit code, once it has ended of itself */
  async ended(): Promise<number | null> {
    await this.#closed;
    return this.#process.exitCode;
  }

  /** @throws where it has ended of itself, with what it wrote */
  assertRunning(): void {
    const { exitCode, signalCode } = this.#process;
    if (exitCode === null && signalCode === null) return;
    throw new Error(`${this.name} ended with ${exitCode ?? signalCode}:\n${this.#output}`);
  }

  /** Asks it to end; the leash makes it after five seconds. */
  async stop(): Promise<void> {
    this.#process.stdin?.end();
    await this.#closed;
  }

  #keep(text: string): void {
    this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
  }
}

/** @returns as many free loopback ports as are asked for, all different */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
