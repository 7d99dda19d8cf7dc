import {
  ROOT_CONTEXT,
  SeverityNumber,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { AggregationType, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import { countPoints, encodeMetrics } from '../../../../../src/telemetry/otlp/encode/metrics.ts';
import { encodeLogs, encodeSpans } from '../../../../../src/telemetry/otlp/encode/spans-and-logs.ts';

const resource = resourceFromAttributes({ 'service.name': 'shop', 'process.pid': 1, flags: [true, false] });
const parse = (bytes: Uint8Array | undefined): unknown =>
  JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));

class PullReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

function makeSpans(attributes: Record<string, number | string | boolean>): ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const remote = {
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  };
  const tracer = provider.getTracer('one', '1.0.0', { schemaUrl: 'https://example.com/1' });
  const parent = tracer.startSpan(
    'parent',
    { kind: SpanKind.SERVER },
    trace.setSpanContext(ROOT_CONTEXT, remote),
  );
  const child = provider
    .getTracer('two')
    .startSpan(
      'child',
      { kind: SpanKind.CLIENT, links: [{ context: remote, attributes: { l: 1 } }] },
      trace.setSpan(ROOT_CONTEXT, parent),
    );
  child.setAttributes(attributes);
  child.addEvent('happened', { e: 'x' });
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'bad' });
  child.end();
  parent.end();
  return exporter.getFinishedSpans();
}

async function makeMetrics(gaugeValue: number): Promise<ResourceMetrics> {
  const reader = new PullReader();
  const provider = new MeterProvider({
    resource,
    readers: [reader],
    views: [{ instrumentName: 'exp', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  });
  const meter = provider.getMeter('m', '2');
  meter.createCounter('c', { unit: '{x}', description: 'd' }).add(5, { a: 1 });
  meter.createUpDownCounter('u').add(-2.5);
  meter.createGauge('g').record(gaugeValue, { k: 'v' });
  for (const value of [0.5, 2, 70])
    meter.createHistogram('h', { advice: { explicitBucketBoundaries: [1, 10] } }).record(value);
  meter.createHistogram('exp').record(3);
  return (await reader.collect()).resourceMetrics;
}

describe('OTLP as JSON', () => {
  test('writes spans as the SDK does', () => {
    const spans = makeSpans({ s: 'ü\u2028"\\\n', i: 7, f: 0.5, b: true, max: Number.MAX_SAFE_INTEGER });
    expect(parse(encodeSpans(spans))).toEqual(parse(JsonTraceSerializer.serializeRequest(spans)));
  });

  test('writes metrics of every kind as the SDK does, and counts their points', async () => {
    const metrics = await makeMetrics(1.25);
    expect(parse(encodeMetrics(metrics))).toEqual(parse(JsonMetricsSerializer.serializeRequest(metrics)));
    expect(countPoints(metrics)).toBe(5);
  });

  test('writes log records as the SDK does', () => {
    const exporter = new InMemoryLogRecordExporter();
    const provider = new LoggerProvider({
      resource,
      processors: [new SimpleLogRecordProcessor({ exporter })],
    });
    provider.getLogger('l', '1').emit({
      body: { text: 'x', list: [1, 'a', null], bytes: new Uint8Array([1, 2, 255]) },
      severityNumber: SeverityNumber.INFO,
      severityText: 'info',
      eventName: 'some.event',
      attributes: { nested: { a: { b: [1] } } },
    });
    const records = exporter.getFinishedLogRecords();
    expect(parse(encodeLogs(records))).toEqual(parse(JsonLogsSerializer.serializeRequest(records)));
  });

  test('writes one line, whatever the texts hold', () => {
    expect(Buffer.from(encodeSpans(makeSpans({ s: 'a\nb\r\n' }))).includes(0x0a)).toBe(false);
  });

  test('writes what JSON has no number for as proto3 JSON does, where the SDK writes null', () => {
    const spans = makeSpans({
      nan: Number.NaN,
      up: Number.POSITIVE_INFINITY,
      down: Number.NEGATIVE_INFINITY,
    });
    const text = Buffer.from(encodeSpans(spans)).toString('utf8');
    expect(text).toContain('{"key":"nan","value":{"doubleValue":"NaN"}}');
    expect(text).toContain('{"key":"up","value":{"doubleValue":"Infinity"}}');
    expect(text).toContain('{"key":"down","value":{"doubleValue":"-Infinity"}}');
    expect(text).not.toContain('null');
    expect(Buffer.from(JsonTraceSerializer.serializeRequest(spans) ?? []).toString('utf8')).toContain('null');
  });

  test('writes integers that 64 bits cannot hold as doubles, and those that readers would round as texts', () => {
    const text = Buffer.from(encodeSpans(makeSpans({ huge: 1e21, long: 2 ** 60 }))).toString('utf8');
    expect(text).toContain('{"key":"huge","value":{"doubleValue":1e+21}}');
    expect(text).toContain('{"key":"long","value":{"intValue":"1152921504606846976"}}');
  });

  test('writes a gauge that is not a number', async () => {
    const text = Buffer.from(encodeMetrics(await makeMetrics(Number.NaN))).toString('utf8');
    expect(text).toContain('"asDouble":"NaN"');
  });
});
