import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { ADDRESSES, PORT_NAMES, type Ports, type RunPaths } from './addresses.ts';
import { COLLECTOR, program } from './backends.ts';
import { Child, freePorts } from './child.ts';
import { edited, ROOT, shipped, type Value } from './documents.ts';
import { getJson, isUp, until } from './poll.ts';
import { timingEdits } from './timing-overlay.ts';
import { Webhook } from './webhook.ts';

const START_MS = 30_000;
const STARTS = 2;

/** A shipped file as one run uses it. */
export interface UsedConfig {
  readonly file: string;
  readonly path: string;
}

/** What a stack gets beside the shipped configuration. */
export interface StackOptions {
  /**
   * Files of `collector/overlays`: each goes over the configuration of the program that it is for. Single values for the Collector are
   * written as `yaml:KEY::KEY: VALUE`.
   */
  readonly overlays?: readonly string[];
  /** Variables of the Collector. */
  readonly env?: NodeJS.ProcessEnv;
  /** Rules of the test's own, by the name of their file. */
  readonly rules?: Readonly<Record<string, Value>>;
}

const isOfJaeger = (overlay: string): boolean => overlay.includes('/jaeger-');

/** Writes the shipped configuration, with this run's addresses and the timing overlay, into a folder. */
export function writeConfigs(
  folder: string,
  ports: Ports,
  webhookUrl: string,
): Readonly<Record<string, UsedConfig>> {
  const paths: RunPaths = {
    collectorData: join(folder, 'collector-data'),
    agentData: join(folder, 'agent-data'),
    jaegerData: join(folder, 'jaeger-data'),
    rules: join(folder, 'rules', '*.yaml'),
    templates: join(ROOT, 'dashboards/alertmanager/templates/*.tmpl'),
    alertWebhookUrl: join(folder, 'alert_webhook_url'),
    watchdogWebhookUrl: join(folder, 'watchdog_webhook_url'),
  };
  writeFileSync(paths.alertWebhookUrl, `${webhookUrl}/alerts`);
  writeFileSync(paths.watchdogWebhookUrl, `${webhookUrl}/watchdog`);
  const used = Object.entries(ADDRESSES).map(([file, addressEdits]): readonly [string, UsedConfig] => {
    const { document } = shipped(file);
    const path = join(folder, ...file.split('/').slice(/\/rules\//.test(file) ? -2 : -1));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(
      path,
      stringify(edited(edited(document, addressEdits(ports, paths)), timingEdits(document))),
    );
    return [file, { file, path }];
  });
  return Object.fromEntries(used);
}

/** @returns the flags that docker-compose.yml starts a service with, defaults filled in, but for those that are replaced, such as paths */
export function shippedFlags(service: string, ...replaced: readonly string[]): readonly string[] {
  const compose = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')) as {
    readonly services: Readonly<Record<string, { readonly command?: readonly string[] }>>;
  };
  return (compose.services[service]?.command ?? [])
    .map((flag) => flag.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1'))
    .filter((flag) => !replaced.some((name) => flag.startsWith(`${name}=`)));
}

/** The Collector, Jaeger, Prometheus and Alertmanager of one test file, and a webhook that gets the notifications. */
export class Stack {
  readonly folder: string;
  readonly ports: Ports;
  readonly webhook: Webhook;
  readonly configs: Readonly<Record<string, UsedConfig>>;
  readonly #backends: readonly Child[];
  readonly #overlays: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  #jaeger: Child;
  #collector: Child;

  private constructor(
    folder: string,
    ports: Ports,
    webhook: Webhook,
    webhookUrl: string,
    options: StackOptions,
  ) {
    this.#overlays = options.overlays ?? [];
    this.#env = { ...process.env, ...options.env };
    this.folder = folder;
    this.ports = ports;
    this.webhook = webhook;
    this.configs = writeConfigs(folder, ports, webhookUrl);
    for (const [name, rules] of Object.entries(options.rules ?? {})) {
      writeFileSync(join(folder, 'rules', name), stringify(rules));
    }
    for (const data of ['collector-data', 'agent-data', 'jaeger-data', 'prometheus', 'alertmanager'])
      mkdirSync(join(folder, data));
    const config = (file: string): string => this.configs[file]?.path ?? '';
    this.#backends = [
      new Child(
        'alertmanager',
        program('alertmanager'),
        [
          ...shippedFlags('alertmanager', '--config.file', '--storage.path'),
          `--config.file=${config('dashboards/alertmanager/alertmanager.yml')}`,
          `--storage.path=${join(folder, 'alertmanager')}`,
          `--web.listen-address=127.0.0.1:${ports.alertmanager}`,
        ],
        folder,
      ),
      new Child(
        'prometheus',
        program('prometheus'),
        [
          ...shippedFlags('prometheus', '--config.file', '--storage.tsdb.path'),
          `--config.file=${config('dashboards/prometheus/prometheus.yml')}`,
          `--storage.tsdb.path=${join(folder, 'prometheus')}`,
          `--web.listen-address=127.0.0.1:${ports.prometheus}`,
        ],
        folder,
      ),
    ];
    this.#jaeger = this.#makeJaeger();
    this.#collector = this.#makeCollector();
  }

  /**
   * Starts everything at once and waits until all of it is ready; on failure nothing is left behind. Starts a second time where somebody
   * else took one of the ports in between.
   *
   * @param options what it gets beside what is shipped
   */
  static async start(options: StackOptions = {}, attempt = 1): Promise<Stack> {
    for (const name of ['alertmanager', 'prometheus', 'jaeger', COLLECTOR] as const) program(name);
    const found = await freePorts(PORT_NAMES.length);
    const ports = Object.fromEntries(
      PORT_NAMES.map((name, index) => [name, found[index] ?? 0]),
    ) as unknown as Ports;
    const webhook = new Webhook();
    const webhookUrl = await webhook.listen();
    const folder = mkdtempSync(join(tmpdir(), 'keelson-stack-'));
    let stack: Stack | undefined;
    try {
      stack = new Stack(folder, ports, webhook, webhookUrl, options);
      await stack.#ready();
      return stack;
    } catch (error) {
      const said = stack?.children.map((child) => `--- ${child.name}\n${child.output}`).join('\n') ?? '';
      if (stack) await stack.stop();
      else {
        await webhook.close();
        rmSync(folder, { recursive: true, force: true });
      }
      if (attempt < STARTS && said.includes('address already in use')) {
        return Stack.start(options, attempt + 1);
      }
      throw new Error(`The stack did not start.\n${said}`, { cause: error });
    }
  }

  /** Every process of the stack. */
  get children(): readonly Child[] {
    return [...this.#backends, this.#jaeger, this.#collector];
  }

  /** Where services send OTLP over HTTP. */
  get otlp(): string {
    return `http://127.0.0.1:${this.ports.otlpHttp}`;
  }

  get prometheus(): string {
    return `http://127.0.0.1:${this.ports.prometheus}`;
  }

  get jaeger(): string {
    return `http://127.0.0.1:${this.ports.jaegerQuery}`;
  }

  get alertmanager(): string {
    return `http://127.0.0.1:${this.ports.alertmanager}`;
  }

  /** Ends the Collector; from then on connections to it are refused. */
  stopCollector(): Promise<void> {
    return this.#collector.stop();
  }

  /**
   * Starts the Collector again where it was, with what its queues have on disk, and waits until it is ready.
   *
   * @param planted a file of the test's own that goes over its configuration
   */
  async startCollector(planted?: string, attempt = 1): Promise<void> {
    this.#collector = this.#makeCollector(planted);
    try {
      await this.#collectorReady();
    } catch (error) {
      await this.#collector.stop();
      // A client that was refused may have taken the port for its own end of a connection.
      if (attempt >= STARTS || !this.#collector.output.includes('address already in use')) throw error;
      await this.startCollector(planted, attempt + 1);
    }
  }

  /** Ends Jaeger; from then on connections to it are refused. */
  stopJaeger(): Promise<void> {
    return this.#jaeger.stop();
  }

  /** Starts Jaeger again where it was, and waits until it is ready. */
  async startJaeger(): Promise<void> {
    this.#jaeger = this.#makeJaeger();
    await this.#jaegerReady();
  }

  #makeJaeger(): Child {
    const flags = this.#flags('collector/jaeger.yaml', this.#overlays.filter(isOfJaeger));
    return new Child('jaeger', program('jaeger'), flags, this.folder);
  }

  #makeCollector(planted?: string): Child {
    const overlays = this.#overlays.filter((file) => !isOfJaeger(file));
    const flags = this.#flags('collector/config.yaml', overlays);
    const all = planted === undefined ? flags : [...flags, `--config=${planted}`];
    return new Child('otelcol', program(COLLECTOR), all, this.folder, this.#env);
  }

  #flags(config: string, overlays: readonly string[]): readonly string[] {
    return [config, ...overlays].map((file) => `--config=${this.configs[file]?.path ?? file}`);
  }

  /** Ends every process by its own id and removes the folder. */
  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => child.stop()));
    await this.webhook.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** @param needed processes without which it is not ready */
  #probe(
    name: string,
    ask: () => Promise<true | undefined>,
    needed: readonly Child[] = this.children,
  ): Promise<true> {
    return until(
      name,
      async () => {
        for (const child of needed) child.assertRunning();
        return ask();
      },
      START_MS,
    );
  }

  #collectorReady(): Promise<true> {
    const url = `http://127.0.0.1:${this.ports.collectorHealth}/`;
    return this.#probe('the Collector', () => isUp(url), [this.#collector]);
  }

  #jaegerReady(): Promise<true> {
    const url = `http://127.0.0.1:${this.ports.jaegerHealth}/status`;
    return this.#probe('Jaeger', () => isUp(url), [this.#jaeger]);
  }

  async #ready(): Promise<void> {
    await Promise.all([
      this.#probe('Prometheus', () => isUp(`${this.prometheus}/-/ready`)),
      this.#probe('Alertmanager', () => isUp(`${this.alertmanager}/-/ready`)),
      this.#jaegerReady(),
      this.#collectorReady(),
      // Prometheus finds its Alertmanager some seconds after it is ready; what fires before waits a minute to be told again.
      this.#probe('Prometheus to know its Alertmanager', async () => {
        const answer = await getJson<{ readonly data: { readonly activeAlertmanagers: readonly unknown[] } }>(
          `${this.prometheus}/api/v1/alertmanagers`,
        );
        return answer?.data.activeAlertmanagers.length === 1 ? true : undefined;
      }),
    ]);
  }
}
