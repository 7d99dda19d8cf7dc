import { spawn } from 'node:child_process';
import { KeelsonError } from '../../core/errors.ts';
import { systemCode } from '../../storage/index.ts';
import type { CommandContext } from '../frame/command.ts';

/** The first docker compose that knows everything that the shipped file uses. */
const OLDEST_COMPOSE: readonly [major: number, minor: number] = [2, 26];

const DOCKER_HINT = 'Install Docker Engine and its compose plugin, or put `docker` on the PATH.';

/** Variables that would make compose use another file, project or service than those that are meant. */
const STEERING = ['COMPOSE_FILE', 'COMPOSE_PROFILES', 'COMPOSE_PROJECT_NAME', 'COMPOSE_PATH_SEPARATOR'];

/** What a run of `docker` answered. */
export interface DockerAnswer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The `docker` of the PATH. */
export class Docker {
  readonly #signal: AbortSignal;
  readonly #env: Readonly<Record<string, string | undefined>>;

  /** @param variables what the compose file gets beside the environment */
  constructor(context: Pick<CommandContext, 'env' | 'signal'>, variables: Readonly<Record<string, string>>) {
    const kept = Object.entries(context.env).filter(([name]) => !STEERING.includes(name));
    this.#env = { ...Object.fromEntries(kept), ...variables };
    this.#signal = context.signal;
  }

  /**
   * Runs `docker` to its end, or to the command's.
   * @throws {KeelsonError} `ERR_KEELSON_DOCKER` where there is none
   */
  async run(args: readonly string[]): Promise<DockerAnswer> {
    const child = spawn('docker', args, {
      env: this.#env,
      signal: this.#signal,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    }).catch((error: unknown) => {
      const why = systemCode(error);
      if (this.#signal.aborted || (why !== 'ENOENT' && why !== 'EACCES')) throw error;
      throw new KeelsonError('ERR_KEELSON_DOCKER', `Cannot run \`docker\`: ${why}.`, {
        cause: error,
        hint: DOCKER_HINT,
      });
    });
    return { code, stdout, stderr };
  }

  /** @throws {KeelsonError} `ERR_KEELSON_DOCKER` where the daemon does not answer, or compose is missing or too old */
  async assertUsable(): Promise<void> {
    const refuse = (message: string, hint: string): never => {
      throw new KeelsonError('ERR_KEELSON_DOCKER', message, { hint });
    };
    const compose = await this.run(['compose', 'version', '--short']);
    if (compose.code !== 0) refuse('Expected the compose plugin of `docker`, found none.', DOCKER_HINT);
    if (!isNewEnough(compose.stdout)) {
      const oldest = OLDEST_COMPOSE.join('.');
      refuse(
        `Expected docker compose ${oldest} or newer, found ${compose.stdout.trim()}.`,
        'Install a newer compose plugin.',
      );
    }
    const daemon = await this.run(['version', '--format', '{{.Server.Version}}']);
    if (daemon.code !== 0) {
      const why = daemon.stderr.trim().split('\n').at(-1) ?? '';
      refuse(
        `The Docker daemon does not answer: ${why}`,
        'Start it, and see that this user may speak to it (group `docker`, or DOCKER_HOST).',
      );
    }
  }
}

function isNewEnough(version: string): boolean {
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(version) ?? [];
  const [needMajor, needMinor] = OLDEST_COMPOSE;
  return Number(major) > needMajor || (Number(major) === needMajor && Number(minor) >= needMinor);
}
