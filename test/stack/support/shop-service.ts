import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
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
  readonly #ledger: Guard;
  /** When the breaker opened, in epoch milliseconds; the first is the fault. */
  readonly openedAt: number[] = [];
  readonly closedAt: number[] = [];
  /** How many of the next executions fail. */
  failures = 0;

  readonly #telemetry: Telemetry;
  #load: NodeJS.Timeout | undefined;
  #loading = false;

  /**
   * @param name `service.name`
   * @param stack where to send
   */
  constructor(name: string, stack: Stack) {
    this.name = name;
    const home = join(stack.folder, name);
    mkdirSync(home);
    this.#telemetry = startTelemetry({
      serviceName: name,
      serviceVersion: '1.2.3',
      resourceAttributes: {
        'service.namespace': 'stack-test',
        'service.instance.id': 'one',
        'deployment.environment.name': 'test',
      },
      home,
      files: false,
      otlp: { endpoint: stack.otlp },
      prometheus: false,
      logger: { console: false, files: false },
      env: TIMING_ENV,
    });
    const keelson = createKeelson();
    this.#ledger = keelson.guard('ledger', {
      retry: { retries: 1, retryIf: () => false },
      rateLimit: {
        algorithm: 'bucket',
        limit: 1_000,
        per: '1s',
        store: { take: away, close: async () => {} },
      },
      cache: { ttl: '1s', secondTier: { get: away, set: away, delete: away } },
      bulkhead: { concurrent: 1, queue: 2 },
      timeout: { attempt: '600ms' },
    });
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
        const { outcome } = await this.guard.outcome('charge', async () => {
          if (this.failures <= 0) return 'paid';
          this.failures -= 1;
          throw new Error(`refused by https://shop:${SECRET}@payments.example/charge?token=${SECRET}&id=7`);
        });
        if (outcome !== 'success') span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
        return span.spanContext().traceId;
      });
  }

  /** Pays again and again until {@link stop}. */
  startLoad(): void {
    this.#load = setInterval(() => void this.pay(), CALL_EVERY_MS);
    this.#loading = true;
    void this.#keepBooks();
  }

  /** Uses what payments has no use for: a cache, a rate limit, a line for the only slot, and keys. */
  async #browse(): Promise<void> {
    const look = async (): Promise<string> => 'in stock';
    await this.#catalog.outcome('look', look, { cacheKey: 'shelf' });
    await Promise.all([this.#catalog.outcome('look', look), this.#catalog.outcome('look', look)]);
    await this.#catalog.for('north').outcome('look', look);
  }

  /** Keeps a bulkhead full, its shared stores away, and functions running that ignore their signal. */
  async #keepBooks(): Promise<void> {
    const write = (): Promise<void> => delay(400);
    const overlong = (): Promise<void> => delay(3_000);
    const refuse = async (): Promise<never> => {
      throw new Error('the books are closed');
    };
    while (this.#loading) {
      litter();
      await Promise.all([
        this.#ledger.outcome('write', write, { cacheKey: String(performance.now()) }),
        this.#ledger.outcome('write', write),
        this.#ledger.outcome('write', overlong),
      ]);
      await this.#ledger.outcome('write', refuse);
    }
  }

  async stop(): Promise<void> {
    this.#loading = false;
    clearInterval(this.#load);
    await this.#telemetry.shutdown();
  }
}

/** Makes garbage, more than the young generation holds. */
function litter(): void {
  for (let each = 0; each < 40; each += 1) Array.from({ length: 20_000 }, (_, index) => ({ index }));
}

const away = async (): Promise<never> => {
  throw new Error('nobody answers');
};

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
