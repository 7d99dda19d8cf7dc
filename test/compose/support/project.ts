import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../stack/support/documents.ts';
import { Webhook } from '../../stack/support/webhook.ts';
import { type Answer, docker, dockerEnv, run, worldFolder } from './docker.ts';

/** @returns the names of the files that Alertmanager's configuration reads its secrets from */
export function alertSecrets(): readonly string[] {
  const text = readFileSync(join(ROOT, 'dashboards/alertmanager/alertmanager.yml'), 'utf8');
  const active = text.replaceAll(/#.*$/gm, '');
  return [...new Set([...active.matchAll(/\/run\/secrets\/([\w-]+)/g)].map(([, name]) => name ?? ''))];
}

/** One container of the project. */
export interface Container {
  readonly name: string;
  readonly service: string;
  readonly state: string;
  readonly health: string;
}

/** What the tests read of `docker inspect`. */
export interface Inspected {
  readonly Config: { readonly User: string; readonly Image: string };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly Privileged: boolean;
    readonly CapAdd: readonly string[] | null;
    readonly CapDrop: readonly string[] | null;
    readonly SecurityOpt: readonly string[] | null;
    readonly Memory: number;
    readonly PidsLimit: number;
    readonly PortBindings: Readonly<
      Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[]>
    >;
  };
  readonly State: {
    readonly Health?: { readonly Status: string; readonly Log: readonly { readonly Output: string }[] };
  };
}

/** The shipped docker-compose.yml, unchanged, with secrets of the test and a webhook on the host that its alerts go to. */
export class Project {
  readonly world: string = worldFolder();
  readonly webhook: Webhook = new Webhook();
  /** The folder of secrets. */
  readonly secrets: string;
  readonly prometheus = 'http://127.0.0.1:9090';
  readonly jaeger = 'http://127.0.0.1:16686';
  readonly alertmanager = 'http://127.0.0.1:9093';
  readonly otlp = 'http://127.0.0.1:4318';
  readonly grafana = 'http://127.0.0.1:3000';
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(folder: string, variables: Readonly<Record<string, string>>) {
    this.secrets = mkdtempSync(join(this.world, 'secrets-'));
    this.#folder = folder;
    this.#env = { ...dockerEnv(this.world), KEELSON_SECRETS: this.secrets, ...variables };
  }

  /**
   * @param options the folder of docker-compose.yml, the checkout if not given, and its variables
   * @returns the project, with its secrets, not started yet
   */
  static async make(
    options: { readonly folder?: string; readonly variables?: Readonly<Record<string, string>> } = {},
  ): Promise<Project> {
    const project = new Project(options.folder ?? ROOT, options.variables ?? {});
    // The containers reach the host by the address of Docker's bridge; only this world has it.
    const { port } = new URL(await project.webhook.listen('0.0.0.0'));
    for (const name of alertSecrets()) {
      const path = name.startsWith('watchdog') ? 'watchdog' : 'alerts';
      writeFileSync(join(project.secrets, name), `http://host.docker.internal:${port}/${path}\n`, {
        mode: 0o600,
      });
    }
    return project;
  }

  /** Runs `docker compose` on the shipped file. */
  compose(...args: readonly string[]): Promise<Answer> {
    return run('docker', ['compose', '--ansi', 'never', ...args], {
      cwd: this.#folder,
      env: this.#env,
      timeoutMs: 180_000,
    });
  }

  /**
   * `docker compose up -d --wait`.
   *
   * @param args options of `docker compose` itself, such as profiles
   * @throws where it fails, with what the services said
   */
  async up(...args: readonly string[]): Promise<void> {
    const answer = await this.compose(...args, 'up', '--detach', '--wait');
    if (answer.code === 0) return;
    const logs = await this.compose('--profile', '*', 'logs', '--no-color', '--tail=8');
    throw new Error(`docker compose up ended with ${answer.code}:\n${answer.text}\n${logs.text}`);
  }

  /** @returns every container of the project, those that have ended too */
  async containers(): Promise<readonly Container[]> {
    const { stdout } = await this.compose('ps', '--all', '--format', 'json');
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { Name: string; Service: string; State: string; Health: string })
      .map(({ Name, Service, State, Health }) => ({
        name: Name,
        service: Service,
        state: State,
        health: Health,
      }));
  }

  /** @returns what `docker inspect` knows about a service's container */
  async inspect(service: string): Promise<Inspected> {
    const { stdout } = await docker(this.world, 'inspect', `keelson-${service}-1`);
    return (JSON.parse(stdout) as readonly [Inspected])[0];
  }

  /** @returns where the daemon keeps a volume of the project on this machine */
  async mountpoint(volume: string): Promise<string> {
    const { stdout } = await docker(
      this.world,
      'volume',
      'inspect',
      '--format={{.Mountpoint}}',
      `keelson_${volume}`,
    );
    return stdout.trim();
  }

  /** Removes containers, networks and volumes, and ends the webhook. */
  async end(): Promise<void> {
    await this.compose('--profile', '*', 'down', '--volumes', '--timeout', '5');
    await this.webhook.close();
  }
}
