import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { startTelemetry } from 'keelson/telemetry';

/** What makes and sends the spans of a service. */
export type Sdk = 'keelson' | 'stock';

/** What a service is told: make spans; the receiver is away; it is back; make no more, send what waits, and end. */
export type ServiceOrder = 'start' | 'away' | 'back' | 'end';

/** What a service says at its end. */
export interface ServiceReport {
  readonly made: number;
  /** Bytes: when the receiver went away, and the most until it was back. */
  readonly rss: { readonly before: number; readonly most: number };
  readonly heap: { readonly before: number; readonly most: number };
}

const TICK_MS = 20;
const FLUSH_MS = 30_000;
const MEMORY_EVERY_MS = 500;

/** @returns what sends all that waits and ends */
function startSdk(sdk: Sdk, name: string, url: string): () => Promise<void> {
  if (sdk === 'stock') {
    const processor = new BatchSpanProcessor({
      exporter: new OTLPTraceExporter({ url: `${url}/v1/traces` }),
    });
    const provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': name }),
      spanProcessors: [processor],
    });
    trace.setGlobalTracerProvider(provider);
    return async () => {
      await provider.forceFlush();
      await provider.shutdown();
    };
  }
  const home = mkdtempSync(join(tmpdir(), 'keelson-outage-'));
  const telemetry = startTelemetry({
    serviceName: name,
    home,
    prometheus: false,
    hostInterval: false,
    logger: { console: false, files: false },
    // Only spans, as its peer; that the receiver is away is known.
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
    },
    writeWarning: () => undefined,
  });
  return async () => {
    await telemetry.forceFlush(FLUSH_MS);
    await telemetry.shutdown(FLUSH_MS);
    rmSync(home, { recursive: true, force: true });
  };
}

/** The most of two figures of memory since the receiver went away. */
class MemoryWatch {
  #before = process.memoryUsage();
  #rss = 0;
  #heap = 0;
  #timer: NodeJS.Timeout | undefined;

  begin(): void {
    this.#before = process.memoryUsage();
    this.#timer = setInterval(() => this.#look(), MEMORY_EVERY_MS);
    this.#look();
  }

  end(): void {
    this.#look();
    clearInterval(this.#timer);
  }

  get figures(): Pick<ServiceReport, 'rss' | 'heap'> {
    return {
      rss: { before: this.#before.rss, most: this.#rss },
      heap: { before: this.#before.heapUsed, most: this.#heap },
    };
  }

  #look(): void {
    const { rss, heapUsed } = process.memoryUsage();
    this.#rss = Math.max(this.#rss, rss);
    this.#heap = Math.max(this.#heap, heapUsed);
  }
}

/** A service in a process of its own that makes spans at a steady rate, however late its timer comes. */
function serve(sdk: Sdk, name: string, rate: number, url: string): void {
  const finish = startSdk(sdk, name, url);
  const tracer = trace.getTracer('bench');
  const memory = new MemoryWatch();
  let made = 0;
  let startedAt = 0;
  let timer: NodeJS.Timeout | undefined;
  const catchUp = (): void => {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * rate);
    for (; made < due; made += 1) {
      const attributes = { 'http.request.method': 'GET', 'url.path': '/orders', 'order.number': made };
      tracer.startSpan('GET /orders', { attributes }).end();
    }
  };
  const report = async (): Promise<void> => {
    await finish();
    const said: ServiceReport = { made, ...memory.figures };
    process.send?.(said, () => process.exit(0));
  };
  const orders: Readonly<Record<ServiceOrder, () => void>> = {
    start: () => {
      startedAt = performance.now();
      timer = setInterval(catchUp, TICK_MS);
    },
    away: () => memory.begin(),
    back: () => memory.end(),
    end: () => {
      clearInterval(timer);
      void report();
    },
  };
  process.on('message', (order: ServiceOrder) => orders[order]());
}

if (import.meta.main) {
  const [sdk, name = '', rate, url = ''] = process.argv.slice(2);
  serve(sdk === 'stock' ? 'stock' : 'keelson', name, Number(rate), url);
}
