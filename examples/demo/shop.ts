import type { Dependency, Phase } from './fault-script.ts';
import { DEPENDENCIES } from './fault-script.ts';
import type { FromService, GuardNews, GuardReport, Latency } from './messages.ts';
import type { ProcessRecord } from './service-process.ts';
import { ServiceProcess } from './service-process.ts';

const REPORT_WITHIN_MS = 3_000;

/** What the shop is started with. */
export interface ShopOptions {
  /** Folder for the telemetry, absolute. */
  readonly home: string;
  readonly otlp: string | undefined;
  /** How long the breakers of the storefront stay open, in milliseconds. */
  readonly breakerOpenMs: number;
  readonly onNews: (news: GuardNews) => void;
  readonly onCrash: (error: Error) => void;
}

/** The last word of the storefront's guards. */
export interface FinalReport {
  readonly guards: readonly GuardReport[];
  readonly all: Latency;
}

/** Exporters are off unless somebody asks for them: by flag, or in the environment of the demo. */
function exporters(otlp: string | undefined): NodeJS.ProcessEnv {
  const { env } = process;
  const chosen = otlp === undefined ? 'none' : 'otlp';
  if (otlp === undefined && env['OTEL_EXPORTER_OTLP_ENDPOINT'] !== undefined) return {};
  const own = { OTEL_TRACES_EXPORTER: chosen, OTEL_METRICS_EXPORTER: chosen, OTEL_LOGS_EXPORTER: chosen };
  return otlp === undefined
    ? { ...own, ...present(env, Object.keys(own)) }
    : { ...own, OTEL_EXPORTER_OTLP_ENDPOINT: otlp };
}

function present(env: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** What the environment can change: telemetry leaves at once, so that there is something to see in a short run. */
const QUICK = {
  OTEL_BSP_SCHEDULE_DELAY: '500',
  OTEL_BLRP_SCHEDULE_DELAY: '500',
  OTEL_METRIC_EXPORT_INTERVAL: '1000',
  // Four processes cannot share one port.
  OTEL_EXPORTER_PROMETHEUS_PORT: '0',
};

/** The four processes. */
export class Shop {
  readonly records: ProcessRecord[] = [];
  guards: readonly GuardReport[] = [];
  storefrontUrl = '';
  readonly #options: ShopOptions;
  readonly #launched: ServiceProcess[] = [];
  readonly #running = new Map<string, ServiceProcess>();
  readonly #urls = new Map<string, string>();
  #onFinal: ((report: FinalReport) => void) | undefined;

  constructor(options: ShopOptions) {
    this.#options = options;
  }

  /** Starts the services behind the storefront, then the storefront. */
  async start(): Promise<void> {
    await Promise.all(DEPENDENCIES.map((name) => this.#launch(name)));
    const urls = Object.fromEntries(
      DEPENDENCIES.map((name) => [`${name.toUpperCase()}_URL`, this.#urls.get(name)]),
    );
    await this.#launch('storefront', { ...urls, BREAKER_OPEN_MS: String(this.#options.breakerOpenMs) });
    this.storefrontUrl = this.#urls.get('storefront') ?? '';
  }

  /** Brings the services into the condition that a phase asks for. */
  async apply(phase: Phase): Promise<void> {
    await Promise.all(DEPENDENCIES.map((name) => this.#bring(name, phase.conditions[name])));
  }

  /** Asks the storefront for its last numbers. */
  async finish(): Promise<FinalReport> {
    const report = Promise.withResolvers<FinalReport>();
    this.#onFinal = report.resolve;
    const late = setTimeout(
      () => report.reject(new Error('The storefront did not report in time.')),
      REPORT_WITHIN_MS,
    );
    this.#running.get('storefront')?.tell({ finish: true });
    try {
      return await report.promise;
    } finally {
      clearTimeout(late);
    }
  }

  /** What the services wrote to standard error, each line once. */
  get warnings(): readonly string[] {
    const lines = this.#launched.flatMap(({ record, stderr }) =>
      stderr
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => `${record.service}: ${line}`),
    );
    return [...new Set(lines)];
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((service) => service.stop()));
  }

  async #bring(name: Dependency, condition: Phase['conditions'][Dependency]): Promise<void> {
    const service = this.#running.get(name);
    if (condition === 'down') {
      this.#running.delete(name);
      await service?.stop();
      return;
    }
    if (!service) await this.#launch(name);
    this.#running.get(name)?.tell({ condition });
  }

  async #launch(name: string, own: NodeJS.ProcessEnv = {}): Promise<void> {
    const { home, otlp, onCrash } = this.#options;
    const port = URL.parse(this.#urls.get(name) ?? '')?.port ?? '0';
    const env = {
      ...QUICK,
      ...process.env,
      ...exporters(otlp),
      KEELSON_HOME: home,
      OTEL_SERVICE_NAME: name,
      PORT: port,
      ...own,
    };
    const service = new ServiceProcess(name, env, (message) => this.#hear(message), onCrash);
    this.#running.set(name, service);
    this.#launched.push(service);
    this.records.push(service.record);
    this.#urls.set(name, await service.url());
  }

  #hear(message: FromService): void {
    if (message.type === 'news') this.#options.onNews(message.news);
    else this.guards = message.guards;
    if (message.type === 'finished') this.#onFinal?.(message);
  }
}
