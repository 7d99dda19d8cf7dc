import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { KeelsonError } from '../../core/errors.ts';
import { Home } from '../../storage/index.ts';
import type { CommandContext } from '../frame/command.ts';
import { Docker } from './docker.ts';
import type { DockerAnswer } from './docker.ts';
import { readPublishedPorts } from './published-ports.ts';
import type { PublishedPort } from './published-ports.ts';
import { expectedServices, runsOnce } from './resolved-compose.ts';
import type { ResolvedCompose } from './resolved-compose.ts';
import { stackFolder } from './stack-files.ts';

/** The name under which compose knows the stack, and labels what belongs to it. */
export const PROJECT = 'keelson';

const PROJECT_LABEL = 'com.docker.compose.project';
const FILES_LABEL = `${PROJECT_LABEL}.config_files`;
const TAIL_LINES = 12;

/** A container of the stack. */
export interface StackContainer {
  readonly service: string;
  /** As Docker says it: `running`, `exited`, ... */
  readonly state: string;
  /** `healthy`, `unhealthy`, `starting`; empty where nothing checks it. */
  readonly health: string;
  /** Whether it is as it shall be: healthy, or ended without an error where it runs once. */
  readonly well: boolean;
}

/** A line of `docker compose ps --format json`, as far as it is read here. */
interface ListedContainer {
  readonly Service: string;
  readonly State: string;
  readonly Health?: string;
  readonly ExitCode?: number;
}

/** The stack of one home: its files, its secrets, and the project that compose runs from them. */
export class StackProject {
  readonly home: Home;
  /** The working copy of docker-compose.yml and what it mounts. */
  readonly folder: string;
  /** The folder of secrets. */
  readonly secrets: string;
  readonly docker: Docker;

  constructor(context: Pick<CommandContext, 'env' | 'cwd' | 'signal'>, home: string | undefined) {
    this.home = new Home({ path: home, env: context.env, cwd: context.cwd });
    this.folder = stackFolder(this.home);
    const named = context.env['KEELSON_SECRETS'];
    this.secrets =
      named !== undefined && named !== '' ? resolve(context.cwd, named) : join(this.home.path, 'secrets');
    this.docker = new Docker(context, { KEELSON_SECRETS: this.secrets });
  }

  get composeFile(): string {
    return join(this.folder, 'docker-compose.yml');
  }

  /** Whether `keelson stack up` was here before. */
  get isPrepared(): boolean {
    return existsSync(this.composeFile);
  }

  /** Runs `docker compose` on the working copy. */
  compose(args: readonly string[]): Promise<DockerAnswer> {
    const project = ['--project-name', PROJECT, '--file', this.composeFile];
    return this.docker.run(['compose', '--ansi', 'never', ...project, ...args]);
  }

  /** @throws {KeelsonError} `ERR_KEELSON_STACK` with what Docker said */
  async composeOrThrow(args: readonly string[], what: string): Promise<string> {
    const { code, stdout, stderr } = await this.compose(args);
    if (code === 0) return stdout;
    throw new KeelsonError('ERR_KEELSON_STACK', `${what}: ${lastLines(stderr)}`, {
      hint: `docker compose --project-name ${PROJECT} logs says more.`,
    });
  }

  /** What compose makes of the working copy, with the variables that are set. */
  async resolved(): Promise<ResolvedCompose> {
    const args = ['--profile', '*', 'config', '--format', 'json'];
    return JSON.parse(
      await this.composeOrThrow(args, 'docker-compose.yml cannot be used'),
    ) as ResolvedCompose;
  }

  /** The ports of this machine that the stack has, or would have. */
  ports(compose: ResolvedCompose): readonly PublishedPort[] {
    return readPublishedPorts(readFileSync(this.composeFile, 'utf8'), compose.services);
  }

  /** Every container, those that have ended too, and what is missing where there is any. */
  async containers(compose: ResolvedCompose): Promise<readonly StackContainer[]> {
    const stdout = await this.composeOrThrow(
      ['--profile', '*', 'ps', '--all', '--format', 'json'],
      'Docker does not list the containers',
    );
    const found = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const listed = JSON.parse(line) as ListedContainer;
        const { Service: service, State: state, Health: health = '', ExitCode: exitCode = 0 } = listed;
        const well =
          state === 'running'
            ? health === '' || health === 'healthy'
            : state === 'exited' && exitCode === 0 && runsOnce(compose, service);
        return { service, state, health, well };
      });
    if (found.length === 0) return [];
    const missing = expectedServices(compose)
      .filter((name) => !found.some(({ service }) => service === name))
      .map((service) => ({ service, state: 'missing', health: '', well: false }));
    return [...found, ...missing].toSorted((a, b) => a.service.localeCompare(b.service));
  }

  /** The volumes that are labelled as the stack's. */
  async volumes(): Promise<readonly string[]> {
    const filter = `label=${PROJECT_LABEL}=${PROJECT}`;
    const { stdout } = await this.docker.run(['volume', 'ls', '--filter', filter, '--format', '{{.Name}}']);
    return stdout.split('\n').filter((name) => name !== '');
  }

  /** @throws {KeelsonError} `ERR_KEELSON_STACK` where containers of the same project name were started from other files */
  async assertOwn(): Promise<void> {
    const filter = `label=${PROJECT_LABEL}=${PROJECT}`;
    const format = `{{.Label "${FILES_LABEL}"}}`;
    const { stdout } = await this.docker.run(['ps', '--all', '--filter', filter, '--format', format]);
    const others = new Set(stdout.split('\n').filter((file) => file !== '' && file !== this.composeFile));
    if (others.size === 0) return;
    const files = [...others].join(', ');
    throw new KeelsonError(
      'ERR_KEELSON_STACK',
      `There are containers of a project \`${PROJECT}\` that ${files} started, not ${this.composeFile}. They were not touched.`,
      {
        hint: `Stop them from there (docker compose --file ${[...others][0]} down), or name their home with --home.`,
      },
    );
  }
}

/** @returns the end of what Docker said, without its lines of progress */
export function lastLines(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^ ?(Container|Network|Volume) /.test(line))
    .slice(-TAIL_LINES)
    .join('\n');
}
