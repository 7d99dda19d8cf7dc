import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const GRACE_MS = 5_000;
const KEPT_OUTPUT = 8_000;
const MAX_STDOUT = 4_000_000;

/** A process of the run, which is stopped by its own id and nothing else. */
export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;
  #output = '';
  #stdout = '';
  #failure: Error | undefined;

  constructor(
    name: string,
    command: string,
    args: readonly string[],
    cwd: string,
    env: NodeJS.ProcessEnv = process.env,
  ) {
    this.name = name;
    this.#process = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    // Not `once`: a command that cannot be started gives `error`, and never `close`.
    this.#closed = new Promise<void>((resolve) => {
      this.#process.once('close', () => resolve());
      this.#process.once('error', (error) => {
        this.#failure = error;
        resolve();
      });
    });
    this.#process.stdout?.on('data', (text: string) => {
      this.#stdout = (this.#stdout + text).slice(-MAX_STDOUT);
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
      });
    }
  }

  /** The process's id; undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#process.pid;
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
    if (this.#failure === undefined && exitCode === null && signalCode === null) return;
    throw new Error(
      `${this.name} ended with ${exitCode ?? signalCode ?? this.#failure?.message}:\n${this.#output}`,
    );
  }

  /** Asks it to end, and after five seconds makes it. */
  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null && this.#failure === undefined) {
      this.#process.kill('SIGTERM');
      const timer = setTimeout(() => this.#process.kill('SIGKILL'), GRACE_MS);
      await this.#closed;
      clearTimeout(timer);
    } else {
      await this.#closed;
    }
  }
}

/** @returns as many free loopback ports as are asked for, all different */
export async function freePorts(count: number): Promise<readonly number[]> {
  const { createServer } = await import('node:net');
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
