import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import { encodeMetrics } from '../../../../src/telemetry/otlp/encode/metrics.ts';
import { encodeLogs, encodeSpans } from '../../../../src/telemetry/otlp/encode/spans-and-logs.ts';
import { firstItemTime } from '../../../../src/telemetry/otlp/first-item-time.ts';
import { countItems } from '../../../../src/telemetry/otlp/item-count.ts';
import { countOf, itemsOf, parseLine, timeOf } from '../../../../src/telemetry/otlp/read/request.ts';
import { shapeProblems } from '../../../../src/telemetry/otlp/read/shape-problems.ts';
import { splitRequest } from '../../../../src/telemetry/otlp/split-request.ts';
import { SIGNALS } from '../../../../src/telemetry/semconv.ts';
import type { Signal } from '../../../../src/telemetry/semconv.ts';
import { collected } from '../../../support/metrics.ts';

const ITEMS = 3;
const NAMES = Array.from({ length: ITEMS }, (_, index) => `item-${index}`);

function spans(): readonly ReadableSpan[] {
  const ended: ReadableSpan[] = [];
  const tracer = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop' }),
    spanProcessors: [
      {
        onStart() {},
        onEnd: (span) => void ended.push(span),
        forceFlush: () => Promise.resolve(),
        shutdown: () => Promise.resolve(),
      },
    ],
  }).getTracer('test');
  for (const name of NAMES) tracer.startSpan(name, { kind: SpanKind.CLIENT, root: true }, ROOT_CONTEXT).end();
  return ended;
}

function logRecords(): readonly ReadableLogRecord[] {
  const resource = resourceFromAttributes({ 'service.name': 'shop' });
  return NAMES.map(
    (body) =>
      ({
        resource,
        instrumentationScope: { name: 'test' },
        hrTime: [1_700_000_000, 0],
        hrTimeObserved: [1_700_000_000, 5_000_000],
        body,
        attributes: {},
        droppedAttributesCount: 0,
      }) as unknown as ReadableLogRecord,
  );
}

async function encoded(signal: Signal): Promise<Uint8Array> {
  if (signal === 'traces') return encodeSpans(spans());
  if (signal === 'logs') return encodeLogs(logRecords());
  const metrics = await collected((meter) => {
    const counter = meter.createCounter('calls');
    for (const name of NAMES) counter.add(1, { name });
  });
  return encodeMetrics(metrics);
}

describe.each(SIGNALS)('a request of %s that an encoder wrote', (signal) => {
  test('is read with all its items, and has no problem', async () => {
    const parsed = parseLine(await encoded(signal));
    expect(parsed.signal).toBe(signal);
    if (parsed.signal === undefined) return;
    expect(countOf(signal, parsed.body)).toBe(ITEMS);
    expect(shapeProblems(signal, parsed.body)).toEqual([]);
  });

  test('has the count and the time of its items without being parsed', async () => {
    const line = await encoded(signal);
    expect(countItems(signal, line)).toBe(ITEMS);
    const parsed = parseLine(line);
    const first = parsed.signal && [...itemsOf(signal, parsed.body)][0];
    const time = timeOf(
      (signal === 'logs'
        ? { observedTimeUnixNano: first?.entry['observedTimeUnixNano'] }
        : (first?.point ?? first?.entry)) ?? {},
    );
    expect(time).toBeGreaterThan(0);
    expect(firstItemTime(signal, line)).toBe(time);
  });

  test('is split into halves that are requests of the same signal', async () => {
    const halves = splitRequest(signal, await encoded(signal)) ?? [];
    expect(halves.map(({ items }) => items)).toEqual([2, 1]);
    expect(halves.map(({ body }) => parseLine(body).signal)).toEqual([signal, signal]);
    expect(halves.map(({ body }) => countItems(signal, body))).toEqual([2, 1]);
  });
});
