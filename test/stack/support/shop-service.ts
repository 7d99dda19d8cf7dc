import { join } from 'node:path';
import { type Span, SpanKind, trace } from '@opentelemetry/api';
import { createKeelson, type Guard } from '../../../src/index.ts';
import { startTelemetry, type Telemetry } from '../../../src/telemetry/index.ts';
import type { Stack } from './stack.ts';
import { TIMING_ENV } from './timing-overlay.ts';

const CALL_EVERY_MS = 50;

/** Must never be seen behind the Collector. */
export const SECRET = 'keelson-secret-0815';

/**
 * A service with one guarded dependency, inside the test's process: the guard is the real one, the dependency a switch. With it a test
 * decides exactly what happens when; the demo shows the same with separate processes and real HTTP.
 */
export class ShopService {
  readonly name: string;
  readonly guard: Guard;
  readonly #catalog: Guard;
  /** When the breaker opened, in epoch milliseconds; the first is the fault. */
  readonly openedAt: number[] = [];
  readonly closedAt: number[] = [];
  /** How many of the next executions fail. */
  failures = 0;

  readonly #telemetry: Telemetry;
  #load: NodeJS.Timeout | undefined;

  /**
   * @param name `service.name`
   * @param stack where to send
   */
  constructor(name: string, stack: Stack) {
    this.name = name;
    this.#telemetry = startTelemetry({
      serviceName: name,
      serviceVersion: '1.2.3',
      resourceAttributes: {
        'service.namespace': 'stack-test',
        'service.instance.id': 'one',
        'deployment.environment.name': 'test',
      },
      home: join(stack.folder, name),
      files: false,
      otlp: { endpoint: stack.otlp },
      prometheus: false,
      logger: { console: false, files: false },
      env: TIMING_ENV,
    });
    const keelson = createKeelson();
    this.#catalog = keelson.guard('catalog', {
      cache: { ttl: '1s' },
      rateLimit: { limit: 1_000, per: '1s' },
      bulkhead: { concurrent: 1, queue: 2 },
      breaker: {},
      keys: { max: 2 },
    });
    this.guard = keelson.guard('payments', {
      retry: { retries: 1, delay: '20ms' },
      breaker: { failures: 4, successes: 1, openFor: '400ms' },
      bulkhead: { concurrent: 4, queue: 2 },
      timeout: { attempt: '2s' },
    });
    this.guard.on((event) => {
      if (event.type !== 'breaker.transition') return;
      if (event.to === 'open') this.openedAt.push(Date.now());
      if (event.to === 'closed') this.closedAt.push(Date.now());
    });
  }

  /** One guarded payment under a server span that carries credentials, as a careless service would send them. @returns the trace id */
  async pay(): Promise<string> {
    await this.#browse();
    return trace
      .getTracer('shop')
      .startActiveSpan('POST /orders', { kind: SpanKind.SERVER }, async (span) => {
        leak(span);
        await this.guard.outcome('charge', async () => {
          if (this.failures <= 0) return 'paid';
          this.failures -= 1;
          throw new Error(`refused by https://shop:${SECRET}@payments.example/charge?token=${SECRET}&id=7`);
        });
        span.end();
        return span.spanContext().traceId;
      });
  }

  /** Pays again and again until {@link stop}. */
  startLoad(): void {
    this.#load = setInterval(() => void this.pay(), CALL_EVERY_MS);
  }

  /** Uses what payments has no use for: a cache, a rate limit, a line for the only slot, and keys. */
  async #browse(): Promise<void> {
    const look = async (): Promise<string> => 'in stock';
    await this.#catalog.outcome('look', look, { cacheKey: 'shelf' });
    await Promise.all([this.#catalog.outcome('look', look), this.#catalog.outcome('look', look)]);
    await this.#catalog.for('north').outcome('look', look);
  }

  async stop(): Promise<void> {
    clearInterval(this.#load);
    await this.#telemetry.shutdown();
  }
}

function leak(span: Span): void {
  span.setAttributes({
    'http.request.header.authorization': [`Bearer ${SECRET}`],
    'http.request.header.cookie': [`sid=${SECRET}`],
    'http.request.header.x-api-key': SECRET,
    'db.password': SECRET,
    'auth.token': SECRET,
    'url.full': `https://shop:${SECRET}@payments.example/charge?access_token=${SECRET}&id=7`,
    note: `sent Bearer ${SECRET} to payments`,
    'gen_ai.usage.input_tokens': 7,
  });
  span.addEvent('sent', { 'request.authorization': SECRET, body: `Basic ${SECRET}` });
}
