import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Agent } from './support/agent.ts';
import { ARRIVAL_MS, arrived, jaegerTrace } from './support/backend-queries.ts';
import { LogStore } from './support/log-store.ts';
import { sendSpans } from './support/otlp-spans.ts';
import { getJson, until } from './support/poll.ts';
import { Stack } from './support/stack.ts';

const SECRET = 'keelson-secret-4711';
const OVERLAYS = ['gateway', 'logs', 'without-probes', 'jaeger-badger'].map(
  (name) => `collector/overlays/${name}.yaml`,
);
const CONNECTIONS = 3;

/** The type of the record that opens a connection: RFC 8446, section 5.1. */
const TLS_HANDSHAKE = 22;

/** What is in a queue on disk is tried again after this much and half as much, at most. */
const RETRY_MS = 30_000;

let logs: LogStore;
let stack: Stack;
let agent: Agent;

beforeAll(async () => {
  logs = new LogStore();
  stack = await Stack.start({ overlays: OVERLAYS, env: { KEELSON_LOGS: await logs.listen() } });
  agent = await Agent.start(stack, { KEELSON_GATEWAY_INSECURE: 'true' });
});

afterAll(async () => {
  await agent?.stop();
  await stack?.stop();
  await logs?.close();
});

const inJaeger = (traceId: string, limitMs = ARRIVAL_MS) =>
  until('the trace in Jaeger', () => jaegerTrace(stack, traceId), limitMs);

async function sendLog(text: string): Promise<void> {
  const attributes = [
    { key: 'order.id', value: { stringValue: text } },
    { key: 'db.password', value: { stringValue: SECRET } },
    { key: 'url.full', value: { stringValue: `https://shop:${SECRET}@db.example/?token=${SECRET}` } },
    {
      key: 'url.query',
      value: { stringValue: `refresh_token=${SECRET}&pwd=${SECRET}&code=${SECRET}&page=2` },
    },
  ];
  const body = { stringValue: `${text}: sent Bearer ${SECRET}` };
  const logRecords = [{ timeUnixNano: String(Date.now() * 1_000_000), severityNumber: 9, body, attributes }];
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
  const response = await fetch(`${agent.otlp}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] }),
  });
  await response.arrayBuffer();
  expect(response.status).toBe(200);
}

describe('the overlay for logs', () => {
  test('sends a record to the store, by its path and without credentials', async () => {
    await sendLog('order one');
    await until('the record', async () => (logs.text.includes('order one') ? true : undefined), ARRIVAL_MS);
    expect(new Set(logs.paths)).toEqual(new Set(['/otlp/v1/logs']));
    expect(logs.text).toContain('order one: sent Bearer REDACTED');
    expect(logs.text).toContain('https://REDACTED@db.example/?token=REDACTED');
    expect(logs.text).toContain('refresh_token=REDACTED&pwd=REDACTED&code=REDACTED&page=2');
    expect(logs.text).not.toContain('db.password');
    expect(logs.text).not.toContain(SECRET);
  });

  test('keeps what the store does not take, over a restart, until it does', async () => {
    const requests = logs.paths.length;
    logs.away = true;
    await sendLog('order two');
    await until('a request', async () => (logs.paths.length > requests ? true : undefined), ARRIVAL_MS);
    await stack.stopCollector();
    logs.away = false;
    expect(logs.text).not.toContain('order two');
    await stack.startCollector();
    await until('the record', async () => (logs.text.includes('order two') ? true : undefined), RETRY_MS);
  });
});

describe('an agent before a gateway', () => {
  test('hands on spans, which arrive in Jaeger', async () => {
    const trace = await inJaeger(await sendSpans(agent.otlp, 'shop', 'GET /orders', { count: 3 }));
    expect(trace.spans.map(({ operationName }) => operationName)).toEqual(
      Array.from({ length: 3 }, () => 'GET /orders'),
    );
  });

  test('connects anew now and then, so that a balancer can spread it, and loses nothing', async () => {
    const sent: string[] = [];
    const before = agent.connections;
    const send = async (): Promise<true | undefined> => {
      sent.push(await sendSpans(agent.otlp, 'shop', 'GET /orders'));
      return agent.connections >= before + CONNECTIONS ? true : undefined;
    };
    await until('new connections', send, ARRIVAL_MS);
    for (const traceId of sent) expect((await inJaeger(traceId, RETRY_MS)).spans).toHaveLength(1);
  });

  test('keeps what comes while the gateway is away, over a restart of its own', async () => {
    await stack.stopCollector();
    const traceId = await sendSpans(agent.otlp, 'shop', 'while the gateway was away');
    await agent.restart();
    await stack.startCollector();
    expect((await inJaeger(traceId, RETRY_MS)).spans).toHaveLength(1);
  });

  test('has behind it queues ten times as long', async () => {
    const capacities = await arrived(stack, 'otelcol_exporter_queue_capacity{exporter!="otlp_http/logs"}');
    const byExporter = capacities.map(({ metric, value }) => [metric['exporter'], value[1]]);
    expect(Object.fromEntries(byExporter)).toEqual({
      'otlp_grpc/jaeger': '1000000',
      'otlp_http/prometheus': '1000000',
    });
  });
});

describe('an agent that is told nothing about TLS', () => {
  let secure: Agent;

  beforeAll(async () => {
    await agent.stop();
    secure = await Agent.start(stack, {});
  });

  afterAll(async () => {
    await secure?.stop();
    agent = await Agent.start(stack, { KEELSON_GATEWAY_INSECURE: 'true' });
  });

  test('speaks it, and nothing else', async () => {
    await sendSpans(secure.otlp, 'shop', 'in secret');
    expect(await until('a connection', async () => secure.firstByte, ARRIVAL_MS)).toBe(TLS_HANDSHAKE);
  });
});

describe('the overlay without probes', () => {
  test('drops their spans before they are counted or stored, and no others', async () => {
    const probe = await sendSpans(agent.otlp, 'probed', 'GET', { attributes: { 'url.path': '/healthz' } });
    const other = await sendSpans(agent.otlp, 'probed', 'GET', { attributes: { 'url.path': '/health/of' } });
    await inJaeger(other);
    const [counted] = await arrived(stack, 'sum(traces_span_metrics_calls_total{service_name="probed"}) > 0');
    expect(counted?.value[1]).toBe('1');
    expect(await jaegerTrace(stack, probe)).toBeUndefined();
    await arrived(stack, '{"otelcol_processor_filter_spans.filtered_total"} == 1');
  });
});

describe('the overlay for traces on disk', () => {
  test('has Jaeger find them again after a restart', async () => {
    const traceId = await sendSpans(agent.otlp, 'shop', 'before the restart');
    const before = await inJaeger(traceId);
    await stack.stopJaeger();
    await stack.startJaeger();
    expect((await inJaeger(traceId)).spans).toEqual(before.spans);
    const services = await getJson<{ readonly data: readonly string[] }>(`${stack.jaeger}/api/services`);
    expect(services?.data).toContain('shop');
  });
});
