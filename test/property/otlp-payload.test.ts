import { TraceFlags } from '@opentelemetry/api';
import type { AnyValue, Attributes } from '@opentelemetry/api';
import {
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { AggregationType, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeMetrics } from '../../src/telemetry/otlp/encode/metrics.ts';
import { encodeLogs, encodeSpans } from '../../src/telemetry/otlp/encode/spans-and-logs.ts';
import { plainFromJson, plainFromProtobuf } from '../support/otlp-protobuf.ts';
import { JournalBench } from '../unit/telemetry/journal/journal-bench.ts';

const resource = resourceFromAttributes({ 'service.name': 'shop' });
const scope = { name: 'scope', version: '1.0.0' };
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '\u2028\u2029', '\n\r\n', '"\\', '\u0000', '😀'),
);
const number = fc.oneof(
  fc.double(),
  fc.constantFrom(
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0,
    2 ** 53,
    -(2 ** 53),
    2 ** 62,
    Number.MAX_SAFE_INTEGER,
  ),
  fc.integer(),
  fc.maxSafeInteger(),
);
const primitive = fc.oneof(text, number, fc.boolean());
const attributes: fc.Arbitrary<Attributes> = fc.dictionary(text, fc.oneof(primitive, fc.array(text)), {
  maxKeys: 8,
});
const { body } = fc.letrec<{ body: AnyValue }>((tie) => ({
  body: fc.oneof(
    { depthSize: 'small' },
    primitive,
    fc.uint8Array().map((bytes) => new Uint8Array(bytes)),
    fc.array(tie('body'), { maxLength: 4 }),
    fc.dictionary(text, tie('body'), { maxKeys: 4 }),
  ),
}));
const time = fc.tuple(fc.integer({ min: 0, max: 4_000_000_000 }), fc.integer({ min: 0, max: 999_999_999 }));
const hex = (digits: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`));
const spanContext = fc.record({
  traceId: hex(32),
  spanId: hex(16),
  traceFlags: fc.constantFrom(TraceFlags.NONE, TraceFlags.SAMPLED),
});

const span: fc.Arbitrary<ReadableSpan> = fc
  .record({
    name: text,
    kind: fc.integer({ min: 0, max: 4 }),
    context: spanContext,
    parentSpanContext: fc.option(spanContext, { nil: undefined }),
    startTime: time,
    endTime: time,
    attributes,
    events: fc.array(fc.record({ name: text, time, attributes }), { maxLength: 3 }),
    links: fc.array(fc.record({ context: spanContext, attributes }), { maxLength: 2 }),
    status: fc.record({ code: fc.integer({ min: 0, max: 2 }), message: text }),
    dropped: fc.nat(1_000),
  })
  .map(
    ({ context, dropped, ...rest }) =>
      ({
        ...rest,
        spanContext: () => context,
        resource,
        instrumentationScope: scope,
        ended: true,
        duration: [0, 0],
        droppedAttributesCount: dropped,
        droppedEventsCount: dropped,
        droppedLinksCount: dropped,
      }) as unknown as ReadableSpan,
  );

const record: fc.Arbitrary<ReadableLogRecord> = fc
  .record({
    hrTime: time,
    hrTimeObserved: time,
    severityNumber: fc.option(fc.integer({ min: 1, max: 24 }), { nil: undefined }),
    severityText: fc.option(text, { nil: undefined }),
    eventName: fc.option(text, { nil: undefined }),
    body,
    attributes: fc.dictionary(text, body, { maxKeys: 4 }),
    spanContext: fc.option(spanContext, { nil: undefined }),
    droppedAttributesCount: fc.nat(1_000),
  })
  .map((rest) => ({ ...rest, resource, instrumentationScope: scope }) as unknown as ReadableLogRecord);

class PullReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** What instruments of every kind have after these values. */
async function metricsOf(values: readonly number[], labels: Attributes): Promise<ResourceMetrics> {
  const reader = new PullReader();
  const views = [
    { instrumentName: 'exponential', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } as const },
  ];
  const meter = new MeterProvider({ resource, readers: [reader], views }).getMeter('m', '2');
  const counter = meter.createCounter('counter', { unit: '{x}', description: 'd' });
  const upDown = meter.createUpDownCounter('up.down');
  const gauge = meter.createGauge('gauge');
  const histogram = meter.createHistogram('histogram', { advice: { explicitBucketBoundaries: [-1, 0, 10] } });
  const exponential = meter.createHistogram('exponential');
  for (const value of values) {
    counter.add(Math.abs(value), labels);
    upDown.add(value);
    gauge.record(value, labels);
    histogram.record(value, labels);
    exponential.record(value);
  }
  return (await reader.collect()).resourceMetrics;
}

describe('any payload', () => {
  test('of metrics says as JSON what the protobuf exporter says', async () => {
    const property = fc.asyncProperty(
      fc.array(number, { maxLength: 6 }),
      attributes,
      async (values, labels) => {
        const metrics = await metricsOf(values, labels);
        const stock = ProtobufMetricsSerializer.serializeRequest(metrics) ?? new Uint8Array();
        expect(plainFromJson('metrics', encodeMetrics(metrics))).toEqual(plainFromProtobuf('metrics', stock));
      },
    );
    await fc.assert(property);
  });

  test('would show a difference: the stock JSON encoder writes null for NaN', () => {
    const [sample] = fc.sample(span, { numRuns: 1, seed: 1 });
    if (!sample) throw new Error('No span was made.');
    const spans = [{ ...sample, attributes: { value: Number.NaN } }];
    const stock = plainFromProtobuf(
      'traces',
      ProtobufTraceSerializer.serializeRequest(spans) ?? new Uint8Array(),
    );
    expect(plainFromJson('traces', encodeSpans(spans))).toEqual(stock);
    const json = JsonTraceSerializer.serializeRequest(spans) ?? new Uint8Array();
    expect(plainFromJson('traces', json)).not.toEqual(stock);
  });

  test('of spans says as JSON what the protobuf exporter says', () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 4 }), (spans) => {
        const stock = ProtobufTraceSerializer.serializeRequest(spans) ?? new Uint8Array();
        expect(plainFromJson('traces', encodeSpans(spans))).toEqual(plainFromProtobuf('traces', stock));
      }),
    );
  });

  test('of log records says as JSON what the protobuf exporter says', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 4 }), (records) => {
        const stock = ProtobufLogsSerializer.serializeRequest(records) ?? new Uint8Array();
        expect(plainFromJson('logs', encodeLogs(records))).toEqual(plainFromProtobuf('logs', stock));
      }),
    );
  });

  test('comes back from the journal of a dead process byte by byte, with its number of items', async () => {
    const batch = fc.oneof(
      { weight: 9, arbitrary: fc.array(span, { minLength: 1, maxLength: 5 }) },
      // Larger than what is read at once.
      {
        weight: 1,
        arbitrary: span.map((each) => [{ ...each, attributes: { huge: 'ü\u2028'.repeat(200_000) } }]),
      },
    );
    const property = fc.asyncProperty(
      fc.array(batch, { maxLength: 6 }),
      fc.nat(6),
      async (batches, settled) => {
        using bench = new JournalBench();
        const one = bench.start(1);
        const places = batches.map((spans) => one.traces.append(encodeSpans(spans), spans.length).place);
        for (const [i, place] of places.entries()) {
          if (place && i < settled) one.traces.settle(place, batches[i]?.length ?? 0);
        }
        await bench.clock.advance(200);
        bench.kill(1);
        const two = bench.start(2);
        await bench.clock.advance(1_000);
        const found: { body: string; items: number }[] = [];
        for (let line = two.traces.next(); line; line = two.traces.next()) {
          found.push({ body: Buffer.from(line.body).toString('base64'), items: line.items });
          two.traces.settle(line.place, line.items);
        }
        expect(found).toEqual(
          batches.slice(settled).map((spans) => ({
            body: Buffer.from(encodeSpans(spans)).toString('base64'),
            items: spans.length,
          })),
        );
        expect(two.traces.waiting.items).toBe(0);
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });
});
