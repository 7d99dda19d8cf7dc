import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../../stack/support/backends.ts';
import { until } from '../../stack/support/poll.ts';
import { docker } from './docker.ts';
import { cgroupParent } from './world.ts';

const START_MS = 30_000;
const STOP_MS = 30_000;

/** A Docker daemon with everything of it below one folder. */
export class Daemon {
  readonly #process: ChildProcess;
  readonly #log: string;

  private constructor(folder: string) {
    this.#log = join(folder, 'dockerd.log');
    const log = openSync(this.#log, 'a');
    const flags = [
      `--data-root=${join(folder, 'data')}`,
      `--exec-root=${join(folder, 'exec')}`,
      `--pidfile=${join(folder, 'dockerd.pid')}`,
      `--host=unix://${join(folder, 'docker.sock')}`,
      `--cgroup-parent=${cgroupParent(folder)}`,
      '--exec-opt=native.cgroupdriver=cgroupfs',
    ];
    this.#process = spawn('dockerd', flags, { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  /** Starts a daemon in a world, with docker compose as a plugin of its client. */
  static async start(folder: string): Promise<Daemon> {
    const plugins = join(folder, 'client', 'cli-plugins');
    mkdirSync(plugins, { recursive: true });
    symlinkSync(program('docker-compose'), join(plugins, 'docker-compose'));
    const daemon = new Daemon(folder);
    const answers = async (): Promise<true | undefined> => {
      if (daemon.#process.exitCode !== null) throw new Error(`dockerd ended:\n${daemon.log}`);
      return (await docker(folder, 'version')).code === 0 ? true : undefined;
    };
    await until('the Docker daemon', answers, START_MS).catch(async (error: unknown) => {
      await daemon.stop();
      throw new Error(`The Docker daemon did not start:\n${daemon.log}`, { cause: error });
    });
    return daemon;
  }

  /** The last of what it wrote. */
  get log(): string {
    return readFileSync(this.#log, 'utf8').slice(-8_000);
  }

  /** Stops it by its own id, and its containers with it. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    const impatience = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS);
    this.#process.kill('SIGTERM');
    await ended;
    clearTimeout(impatience);
  }
}
