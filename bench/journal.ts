import { fork } from 'node:child_process';
import { once } from 'node:events';
import { ftruncateSync, mkdtempSync, openSync, rmSync, writevSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { systemClock } from '../src/core/time/clock.ts';
import { systemProcesses } from '../src/host/owners/process-identity.ts';
import { Home, systemFiles } from '../src/storage/index.ts';
import { TelemetryCounts } from '../src/telemetry/counts.ts';
import { readEnvironment } from '../src/telemetry/environment/environment.ts';
import { Journal } from '../src/telemetry/journal/journal.ts';
import { checkOptions } from '../src/telemetry/options.ts';
import { encodeSpans, writableItems } from '../src/telemetry/otlp/encode/spans-and-logs.ts';
import { Pipelines } from '../src/telemetry/pipelines.ts';
import { BatchQueue, spanProcessor } from '../src/telemetry/sdk/batch-queue.ts';
import { JournalExporter } from '../src/telemetry/sdk/journal-exporter.ts';
import type { Benchmark, Variant } from './harness.ts';
import { runBenchmark } from './harness.ts';

/**
 * What the journal costs, by batches of 512 spans with eight attributes, a quarter of them with an event.
 * - `batch.serialised`: the batch as OTLP JSON, and no more; `batch.written`: the same, and one bare `writev`, which is what the kernel alone costs;
 *   `batch.appended`: the same, appended to a journal that rotates and keeps to its caps
 * - `sent`: four batches, from the end of their spans until a receiver in another process has taken them
 */

const BATCH = 512;
/** Batches that one call of `sent` ends and waits for. */
const BATCHES_SENT = 4;

function endSpans(provider: TracerProvider): void {
  const tracer = provider.getTracer('bench', '1.0.0');
  for (let i = 0; i < BATCH; i += 1) {
    const span = tracer.startSpan('GET /orders/:id', {
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/orders/:id',
        'url.path': `/orders/${i}`,
        'http.response.status_code': 200,
        'server.address': 'shop.example',
        'server.port': 443,
        'network.protocol.version': '1.1',
        'order.total': i / 7,
      },
    });
    if (i % 4 === 0) span.addEvent('cache.miss', { key: `order:${i}` });
    span.end();
  }
}

const fail = (_: string, message: string): never => {
  throw new Error(message);
};

function madeSpans(): readonly ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  endSpans(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  return exporter.getFinishedSpans();
}

/** A home that goes with the process. */
function temporaryHome(): string {
  const path = mkdtempSync(join(tmpdir(), 'keelson-bench-'));
  process.once('exit', () => rmSync(path, { recursive: true, force: true }));
  return path;
}

const serialise: Variant = async () => {
  const spans = madeSpans();
  return async () => encodeSpans(spans);
};

const SEGMENT_BYTES = 16 * 1_024 * 1_024;

const write: Variant = async () => {
  const spans = madeSpans();
  const file = openSync(join(temporaryHome(), 'batches.jsonl'), 'a', 0o600);
  let bytes = 0;
  return async () => {
    bytes += writevSync(file, [encodeSpans(spans)]);
    if (bytes < SEGMENT_BYTES) return;
    ftruncateSync(file);
    bytes = 0;
  };
};

const append: Variant = async () => {
  const spans = madeSpans();
  const journal = new Journal({
    home: new Home({ path: temporaryHome() }),
    clock: systemClock,
    random: Math.random,
    files: systemFiles,
    processes: systemProcesses,
    counts: new TelemetryCounts(),
    warn: fail,
    onAdopted: () => {},
  });
  const traces = journal.open('traces', false);
  return async () => traces.append(encodeSpans(spans), BATCH);
};

/** A receiver in a process of its own, gone with this one and keeping it alive, which sockets of ours do not. @returns its address */
async function startReceiver(): Promise<string> {
  const child = fork(fileURLToPath(import.meta.url), ['--receiver']);
  const [port] = (await once(child, 'message')) as readonly unknown[];
  process.once('exit', () => child.kill());
  return `http://127.0.0.1:${String(port)}`;
}

function serve(): void {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () =>
      response.writeHead(200, { 'content-type': request.headers['content-type'] }).end(),
    );
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.send?.(typeof address === 'object' && address !== null ? address.port : 0);
  });
  process.on('disconnect', () => process.exit());
}

const stock =
  (make: (url: string) => SpanExporter): Variant =>
  async () => {
    const url = `${await startReceiver()}/v1/traces`;
    const processor = new BatchSpanProcessor({ exporter: make(url), maxExportBatchSize: BATCH });
    const provider = new TracerProvider({ spanProcessors: [processor] });
    return async () => {
      for (let i = 0; i < BATCHES_SENT; i += 1) {
        endSpans(provider);
        // Its queue holds four batches; what ends while one is on its way could be dropped.
        await provider.forceFlush();
      }
    };
  };

/** Spans alone, through the parts that `startTelemetry` has for them. */
const journalled =
  (files: boolean): Variant =>
  async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: await startReceiver() };
    const settings = readEnvironment(env, fail);
    const pipelines = new Pipelines({
      options: { files },
      checked: checkOptions({}),
      settings,
      home: new Home({ path: temporaryHome(), env }),
      files: systemFiles,
      clock: systemClock,
      counts: new TelemetryCounts(),
      warn: fail,
    });
    const parts = pipelines.exporter('traces', encodeSpans, (spans) => spans.length, writableItems);
    if (!parts) throw new Error('Spans go nowhere.');
    const queue = new BatchQueue<ReadableSpan>({
      exporter: new JournalExporter(parts),
      settings: settings.spanBatch,
      clock: systemClock,
      onLost: (items) => fail('lost', `${items} spans were lost.`),
    });
    const provider = new TracerProvider({ spanProcessors: [spanProcessor(queue)] });
    return async () => {
      for (let i = 0; i < BATCHES_SENT; i += 1) {
        endSpans(provider);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await pipelines.flush(10_000);
    };
  };

const benchmark: Benchmark = {
  file: fileURLToPath(import.meta.url),
  variants: {
    'batch.serialised': serialise,
    'batch.written': write,
    'batch.appended': append,
    'sent.journal': journalled(true),
    'sent.memory': journalled(false),
    'sent.json': stock((url) => new JsonExporter({ url })),
    'sent.protobuf': stock((url) => new ProtobufExporter({ url })),
  },
  goals: [
    // Serialise and append reach 0.95 of the speed of serialise alone.
    { over: 'batch.appended', under: 'batch.serialised', atMost: 1 / 0.95 },
    { over: 'batch.appended', under: 'batch.written', atMost: 1.05 },
    { over: 'sent.journal', under: 'sent.json', atMost: 1 },
    { over: 'sent.journal', under: 'sent.protobuf' },
    { over: 'sent.journal', under: 'sent.memory' },
  ],
};

if (process.argv.includes('--receiver')) serve();
else await runBenchmark(benchmark);
