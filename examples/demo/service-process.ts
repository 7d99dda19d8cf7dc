import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { FromService, ToService } from './messages.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const READY_WITHIN_MS = 20_000;
const STOP_WITHIN_MS = 5_000;
const STDERR_LIMIT = 4_000;

/** What is known of a process, also after its end. */
export interface ProcessRecord {
  readonly service: string;
  readonly pid: number;
  readonly startedAt: number;
  endedAt?: number;
  /** The exit code, or the signal that ended it. */
  exit?: number | string;
}

/** One run of `node --import keelson/register examples/shop/<service>.ts`. */
export class ServiceProcess {
  readonly record: ProcessRecord;
  readonly #child: ChildProcess;
  #stderr = '';
  #stopping = false;

  /**
   * @param service name of a file in `examples/shop`
   * @param env its environment
   * @param onMessage takes what it tells
   * @param onCrash called when it ends without being told to
   */
  constructor(
    service: string,
    env: NodeJS.ProcessEnv,
    onMessage: (message: FromService) => void,
    onCrash: (error: Error) => void,
  ) {
    const link = './examples/demo/link.ts';
    const args = ['--import', 'keelson/register', '--import', link, `examples/shop/${service}.ts`];
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A process group of its own: Ctrl-C in a terminal reaches the demo alone, which then ends its services in order.
      detached: true,
    });
    this.#child = child;
    this.record = { service, pid: child.pid ?? 0, startedAt: Date.now() };
    child.on('message', onMessage);
    child.on('error', onCrash);
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk.toString()}`.slice(-STDERR_LIMIT);
    });
    child.once('exit', (code, signal) => {
      this.record.endedAt = Date.now();
      this.record.exit = code ?? signal ?? 'unknown';
      if (!this.#stopping) onCrash(new Error(`${service} ended (${this.record.exit}):\n${this.#stderr}`));
    });
  }

  /** Warnings and errors that it wrote. */
  get stderr(): string {
    return this.#stderr;
  }

  /** The address on which it says that it listens. */
  async url(): Promise<string> {
    const { stdout } = this.#child;
    const deadline = AbortSignal.timeout(READY_WITHIN_MS);
    let text = '';
    while (stdout) {
      const [chunk] = (await once(stdout, 'data', { signal: deadline })) as [Buffer];
      text += chunk.toString();
      const match = /listening on (http:\S+)/.exec(text);
      if (match?.[1] !== undefined) {
        stdout.resume();
        return match[1];
      }
    }
    throw new Error(`${this.record.service} has no standard output.`);
  }

  tell(message: ToService): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** Ends it as an orchestrator would: SIGTERM, and SIGKILL when that takes too long. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await exited;
    clearTimeout(killer);
  }
}
