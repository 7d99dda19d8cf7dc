// A service that makes spans at a steady rate until it is asked to end: `node steady-service.ts NAME HOME OTLP RATE`. The spans of a second
// are one trace; when it is complete, a line tells its id and how many spans it has.
import { randomBytes } from 'node:crypto';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { startTelemetry } from '../../../src/telemetry/index.ts';
import { TIMING_ENV } from './timing-overlay.ts';

const TICK_MS = 20;
const DRAIN_MS = 60_000;

const [name = '', home = '', endpoint = '', rate = ''] = process.argv.slice(2);
const telemetry = startTelemetry({
  serviceName: name,
  home,
  prometheus: false,
  hostInterval: false,
  logger: { console: false, files: false },
  env: {
    ...TIMING_ENV,
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
  },
});

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const tracer = trace.getTracer('steady-service');
const startedAt = performance.now();
let traceId = '';
let inTrace = 0;
let made = 0;

function completeTrace(): void {
  if (inTrace > 0) say({ traceId, spans: inTrace });
  traceId = randomBytes(16).toString('hex');
  inTrace = 0;
}

function catchUp(): void {
  const due = Math.floor(((performance.now() - startedAt) / 1_000) * Number(rate));
  for (; made < due; made += 1) {
    if (made % Number(rate) === 0) completeTrace();
    const parent = { traceId, spanId: '00000000000000ff', traceFlags: 1, isRemote: true };
    const attributes = { 'http.request.method': 'GET', 'url.path': '/orders', 'order.number': made };
    tracer.startSpan('GET /orders', { attributes }, trace.setSpanContext(ROOT_CONTEXT, parent)).end();
    inTrace += 1;
  }
}

const timer = setInterval(() => context.with(ROOT_CONTEXT, catchUp), TICK_MS);
say({ pid: process.pid });
process.once('SIGTERM', () => {
  clearInterval(timer);
  completeTrace();
  void telemetry.forceFlush(DRAIN_MS).then(() => telemetry.shutdown(DRAIN_MS));
});
