import { join } from 'node:path';
import { Child, freePorts } from './child.ts';
import { ROOT } from './documents.ts';
import { isUp, until } from './poll.ts';
import type { Stack } from './stack.ts';
import { TIMING_ENV } from './timing-overlay.ts';

const START_MS = 30_000;

/** The process of `named-service.ts`. */
export class NamedService {
  /** Host and port of its Prometheus endpoint. */
  readonly target: string;
  readonly #child: Child;

  private constructor(target: string, child: Child) {
    this.target = target;
    this.#child = child;
  }

  /** @returns it, once its endpoint answers */
  static async start(stack: Stack, name: string): Promise<NamedService> {
    const [port = 0] = await freePorts(1);
    const child = new Child(
      name,
      process.execPath,
      ['--import', 'keelson/register', 'test/stack/support/named-service.ts'],
      ROOT,
      {
        ...process.env,
        ...TIMING_ENV,
        OTEL_SERVICE_NAME: name,
        OTEL_RESOURCE_ATTRIBUTES:
          'service.namespace=stack-test,service.instance.id=one,service.version=1.2.3,deployment.environment.name=test',
        OTEL_EXPORTER_OTLP_ENDPOINT: stack.otlp,
        OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
        KEELSON_HOME: join(stack.folder, name),
      },
    );
    const service = new NamedService(`127.0.0.1:${port}`, child);
    await until(
      'the endpoint of the service',
      async () => {
        child.assertRunning();
        return isUp(`http://${service.target}/metrics`);
      },
      START_MS,
    );
    return service;
  }

  /** Waits for the last of its calls. */
  async hasCalled(): Promise<void> {
    await until(
      'the calls of the service',
      async () => {
        this.#child.assertRunning();
        return this.#child.stdout.includes('done') ? true : undefined;
      },
      START_MS,
    );
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}
