import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { WORLD_ENV } from './world.ts';

/** What a command answered. */
export interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  /** Both of its outputs, in the order in which they came. */
  readonly text: string;
}

/** @returns the folder of the world that the tests run in */
export function worldFolder(): string {
  const folder = process.env[WORLD_ENV];
  if (folder === undefined)
    throw new Error('Expected to run in a world of its own. Use `npm run test:compose`.');
  return folder;
}

/** @returns the environment in which `docker` speaks to the world's own daemon and nothing else */
export function dockerEnv(folder: string): NodeJS.ProcessEnv {
  const { DOCKER_CONTEXT: _, ...env } = process.env;
  return {
    ...env,
    DOCKER_HOST: `unix://${join(folder, 'docker.sock')}`,
    DOCKER_CONFIG: join(folder, 'client'),
  };
}

/** Runs a command to its end. */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly timeoutMs?: number } = {},
): Promise<Answer> {
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 120_000,
  });
  let stdout = '';
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    text += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, text };
}

/** Runs `docker` against a world's daemon. */
export function docker(folder: string, ...args: readonly string[]): Promise<Answer> {
  return run('docker', args, { env: dockerEnv(folder) });
}
