import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const LEASH = join(import.meta.dirname, 'group-leash.ts');
const START_MS = 60_000;

/** The command `next`, on a leash, in a process group of its own. Use with `await using`. */
export class NextProcess {
  output = '';
  readonly #leash: ChildProcess;
  readonly #ended: Promise<number | null>;
  #onOutput = (): void => {};

  /** @param args such as `build`, `start`, `dev`, with their options */
  constructor(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const next = join(folder, 'node_modules/next/dist/bin/next');
    this.#leash = spawn(process.execPath, [LEASH, process.execPath, next, ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#leash.stdin?.on('error', () => {});
    for (const stream of [this.#leash.stdout, this.#leash.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#onOutput();
      });
    }
    this.#ended = once(this.#leash, 'close').then(([code]: unknown[]) =>
      typeof code === 'number' ? code : null,
    );
  }

  /** The code with which it ends. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  /** The address that it says it listens at. @throws if it ends before, or says none in a minute */
  async address(): Promise<string> {
    const find = (): string | undefined => /http:\/\/(?:localhost|127\.0\.0\.1):\d+/.exec(this.output)?.[0];
    const said = new Promise<void>((resolve, reject) => {
      this.#onOutput = () => find() && resolve();
      const late = (): void => reject(new Error(`next says no address:\n${this.output}`));
      AbortSignal.timeout(START_MS).addEventListener('abort', late);
      void this.#ended.then(() => reject(new Error(`next has ended:\n${this.output}`)));
    });
    if (find() === undefined) await said;
    return (find() ?? '').replace('localhost', '127.0.0.1');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leash.stdin?.end();
    await this.#ended;
  }
}
