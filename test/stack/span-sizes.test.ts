import { join } from 'node:path';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Telemetry } from '../../src/telemetry/index.ts';
import { Agent } from './support/agent.ts';
import { promQuery } from './support/backend-queries.ts';
import { type CollectorCounts, collectorCounts } from './support/collector-counts.ts';
import { LogStore } from './support/log-store.ts';
import { memoryLimits } from './support/memory-limits.ts';
import { ownTelemetry } from './support/own-telemetry.ts';
import { until } from './support/poll.ts';
import { sendRecords, sendSizedPoints, sendSizedSpans, sendSpansOf } from './support/sized-telemetry.ts';
import { Stack } from './support/stack.ts';
import { allStored } from './support/steady-load.ts';

/** Bytes of a span, and how many of them wait: more than the 8,192 of which the Collector makes a batch unless told otherwise. */
const SIZES = [
  { bytes: 300, count: 10_240 },
  { bytes: 700, count: 10_240 },
  { bytes: 2_000, count: 10_240 },
  { bytes: 9_000, count: 4_096 },
];
const LARGE = 5 * 2 ** 20;
const SMALL = 300;
const POINTS = 12_000;
/** What is in a queue on disk is tried again after this much and half as much, at most. */
const RETRY_MS = 90_000;
const HOOK_MS = 180_000;

let logs: LogStore;
let stack: Stack;
let agent: Agent;

beforeAll(async () => {
  logs = new LogStore();
  const overlays = ['gateway', 'logs'].map((name) => `collector/overlays/${name}.yaml`);
  stack = await Stack.start({
    overlays: [...overlays, ...memoryLimits()],
    env: { KEELSON_LOGS: await logs.listen() },
  });
  agent = await Agent.start(stack, { KEELSON_GATEWAY_INSECURE: 'true' });
}, HOOK_MS);

afterAll(async () => {
  await agent?.stop();
  await stack?.stop();
  await logs?.close();
});

type Sent = ReadonlyMap<string, number>;

/** Sends spans of every size, and last of all a large one between two small ones. @returns the traces of each size; the large one's is that of 0 */
async function sendAll(otlp: string, name: string): Promise<ReadonlyMap<number, Sent>> {
  const sent = new Map<number, Sent>();
  for (const size of SIZES) sent.set(size.bytes, await sendSizedSpans(otlp, `${name}-${size.bytes}`, size));
  const traceId = await sendSpansOf(otlp, `${name}-large`, [SMALL, LARGE, SMALL]);
  return sent.set(LARGE, new Map([[traceId, 3]]));
}

/** Waits for all of the traces. @returns how many of their spans Jaeger has */
async function stored(traces: Sent | undefined): Promise<number> {
  if (!traces || traces.size === 0) throw new Error('Nothing was sent.');
  return (await allStored(stack, traces, RETRY_MS)).spans;
}

async function counts(port: number): Promise<CollectorCounts> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  return collectorCounts(await response.text());
}

describe('what a service sends at once that is above the limit of the Collector', () => {
  let telemetry: Telemetry;

  beforeAll(() => {
    telemetry = ownTelemetry('oversized', join(stack.folder, 'oversized'), stack.otlp, {
      writeWarning: () => undefined,
    });
  });

  afterAll(() => telemetry?.shutdown());

  /** Makes spans of one trace in one turn, with an attribute of a size each. @returns the trace's id */
  function makeSpans(count: number, bytes: number): string {
    const tracer = trace.getTracer('span-sizes');
    const attributes = { filler: 'x'.repeat(bytes) };
    const root = tracer.startSpan('oversized', { attributes }, ROOT_CONTEXT);
    const parent = trace.setSpan(ROOT_CONTEXT, root);
    for (let made = 1; made < count; made += 1) tracer.startSpan('oversized', { attributes }, parent).end();
    root.end();
    return root.spanContext().traceId;
  }

  test('arrives in parts, if each span fits', async () => {
    const traceId = makeSpans(40, 700_000);
    expect(await stored(new Map([[traceId, 40]]))).toBe(40);
    expect(telemetry.stats().traces.dropped).toMatchObject({ rejected: 0, too_large: 0 });
  });

  test('is set aside and counted, if a single span does not fit', async () => {
    makeSpans(1, 21 * 2 ** 20);
    await telemetry.forceFlush();
    const setAside = async () => (telemetry.stats().traces.dropped.too_large === 1 ? true : undefined);
    expect(await until('the count', setAside, RETRY_MS)).toBe(true);
    expect(await stored(new Map([[makeSpans(3, SMALL), 3]]))).toBe(3);
  });
});

describe('while Jaeger is away, and over a restart of the Collector meanwhile', () => {
  let sent: ReadonlyMap<number, Sent>;

  beforeAll(async () => {
    await stack.stopJaeger();
    sent = await sendAll(stack.otlp, 'jaeger-away');
    await stack.stopCollector();
    await stack.startCollector();
    await stack.startJaeger();
  }, HOOK_MS);

  test.each(SIZES)('no span of $bytes bytes is lost of $count', async ({ bytes, count }) => {
    expect(await stored(sent.get(bytes))).toBe(count);
  });

  test('neither is a span of 5 MiB, nor those around it', async () => {
    expect(await stored(sent.get(LARGE))).toBe(3);
  });

  test('and the Collector has counted none as lost', async () => {
    expect(await counts(stack.ports.collectorMetrics)).toMatchObject({ sendFailed: 0, enqueueFailed: 0 });
  });
});

describe('while the gateway of an agent is away', () => {
  let sent: ReadonlyMap<number, Sent>;
  const record = (part: string): string => `${part} of the record`;

  beforeAll(async () => {
    await stack.stopCollector();
    sent = await sendAll(agent.otlp, 'gateway-away');
    await sendSizedPoints(agent.otlp, 'gateway-away', { bytes: 700, count: POINTS });
    const large = `${record('begin')}${'x'.repeat(LARGE)}${record('end')}`;
    await sendRecords(agent.otlp, 'gateway-away', ['record before', large, 'record after']);
    await agent.restart();
    await stack.startCollector();
  }, HOOK_MS);

  test.each(SIZES)('no span of $bytes bytes is lost of $count', async ({ bytes, count }) => {
    expect(await stored(sent.get(bytes))).toBe(count);
  });

  test('neither is a span of 5 MiB, nor those around it', async () => {
    expect(await stored(sent.get(LARGE))).toBe(3);
  });

  test(`nor one of ${POINTS} metric points`, async () => {
    const arrived = async () => {
      const [sample] = await promQuery(stack, 'count(sized_point{service_name="gateway-away"})');
      return Number(sample?.value[1]) === POINTS ? true : undefined;
    };
    expect(await until('the points in Prometheus', arrived, RETRY_MS)).toBe(true);
  });

  test('nor a log record of 5 MiB, nor those around it', async () => {
    const texts = ['record before', record('begin'), record('end'), 'record after'];
    const arrived = async () => (texts.every((text) => logs.text.includes(text)) ? true : undefined);
    expect(await until('the records', arrived, RETRY_MS)).toBe(true);
  });

  test('and neither of the two has counted any as lost', async () => {
    for (const port of [stack.ports.collectorMetrics, stack.ports.agentMetrics]) {
      expect(await counts(port)).toMatchObject({ sendFailed: 0, enqueueFailed: 0 });
    }
  });
});
