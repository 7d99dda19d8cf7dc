import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const LEASH = join(import.meta.dirname, 'server-leash.ts');
const KEPT_OUTPUT = 8_000;
const START_MS = 20_000;
const ASK_EVERY_MS = 50;

/** Who a server runs as, where the test is run by root. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** A server of the test, on a leash and on a port of its own. It is stopped by its own id. */
export class ServerProcess {
  readonly port: number;
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #user: User;
  #leash: ChildProcess | undefined;
  #output = '';

  constructor(command: string, args: readonly string[], port: number, user: User) {
    this.port = port;
    this.#command = command;
    this.#args = args;
    this.#user = user;
  }

  /** Starts it, and waits until it listens. A server that ends while it starts is started again: its predecessor may still hold files. */
  async start(): Promise<void> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      if (this.#leash === undefined || this.#leash.exitCode !== null) this.#spawn();
      if (await isListening(this.port)) return;
      if (performance.now() > deadline) throw new Error(`${this.#command} does not listen:\n${this.#output}`);
      await delay(ASK_EVERY_MS);
    }
  }

  /** Ends it as a crash does: `kill -9` of the process that the leash has started. */
  async crash(): Promise<void> {
    const pid = Number(/^pid (\d+)$/m.exec(this.#output)?.[1]);
    if (!Number.isInteger(pid)) throw new Error(`The process id is not known:\n${this.#output}`);
    const ended = this.#ended();
    process.kill(pid, 'SIGKILL');
    await ended;
  }

  /** Asks it to end; the leash makes it after five seconds. */
  async stop(): Promise<void> {
    const ended = this.#ended();
    this.#leash?.stdin?.end();
    await ended;
  }

  async #ended(): Promise<void> {
    const leash = this.#leash;
    if (leash && leash.exitCode === null && leash.signalCode === null) await once(leash, 'exit');
  }

  #spawn(): void {
    const { uid, gid } = this.#user;
    this.#output = '';
    const leash = spawn(process.execPath, [LEASH, String(uid), String(gid), this.#command, ...this.#args], {
      stdio: 'pipe',
    });
    leash.stdin.on('error', () => undefined);
    for (const stream of [leash.stdout, leash.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(0, KEPT_OUTPUT);
      });
    }
    this.#leash = leash;
  }
}

/** @returns a loopback port that nobody listens on */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function isListening(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
