import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { metrics, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTelemetry } from '../../src/telemetry/index.ts';
import { runCliProcess } from '../faults/cli-process.ts';
import { ARRIVAL_MS, arrived, jaegerTrace } from './support/backend-queries.ts';
import { until } from './support/poll.ts';
import { Stack } from './support/stack.ts';

interface Answer {
  readonly healthy: boolean;
  readonly checks: readonly { readonly name: string; readonly status: string; readonly detail: string }[];
}

let stack: Stack;
let home: string;

beforeAll(async () => {
  stack = await Stack.start();
  home = mkdtempSync(join(tmpdir(), 'keelson-doctor-'));
});

afterAll(async () => {
  await stack?.stop();
  if (home) rmSync(home, { recursive: true, force: true });
});

async function doctor(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly answer: Answer }> {
  const { otlp, jaeger, prometheus, alertmanager } = stack;
  const addresses = [
    '--otlp',
    otlp,
    '--jaeger',
    jaeger,
    '--prometheus',
    prometheus,
    '--alertmanager',
    alertmanager,
  ];
  const { code, stdout, stderr } = await runCliProcess([
    'doctor',
    '--json',
    '--home',
    home,
    ...addresses,
    ...args,
  ]);
  expect(stderr).toBe('');
  return { code, answer: JSON.parse(stdout) as Answer };
}

const statuses = ({ checks }: Answer): Readonly<Record<string, string>> =>
  Object.fromEntries(checks.map(({ name, status }) => [name, status]));

describe('keelson doctor', () => {
  test('finds its span in Jaeger, its metric in Prometheus and its alert in Alertmanager', async () => {
    const { code, answer } = await doctor();
    expect(answer.checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect({ code, healthy: answer.healthy }).toEqual({ code: 0, healthy: true });
    expect(statuses(answer)).toMatchObject({
      'otlp traces': 'pass',
      'otlp metrics': 'pass',
      'otlp logs': 'pass',
      'span in jaeger': 'pass',
      'metric in prometheus': 'pass',
      rules: 'pass',
      'alert delivery': 'pass',
      'test alert': 'pass',
    });
  });

  test('finds them again in a second run, and tells nobody of the alerts', async () => {
    expect((await doctor()).code).toBe(0);
    expect(stack.webhook.find('firing', { alertname: 'KeelsonDoctorTest' })).toBeUndefined();
  });

  test('says which part is not there', async () => {
    const { code, answer } = await doctor('--jaeger', stack.prometheus, '--wait', '1s');
    expect({ code, healthy: answer.healthy }).toEqual({ code: 1, healthy: false });
    expect(statuses(answer)).toMatchObject({
      jaeger: 'fail',
      'span in jaeger': 'skipped',
      'metric in prometheus': 'pass',
    });
  });
});

describe('keelson telemetry replay', () => {
  test('brings what a service wrote without a Collector to Jaeger and Prometheus', async () => {
    const telemetry = startTelemetry({
      home,
      serviceName: 'offline-shop',
      otlp: { endpoint: 'http://127.0.0.1:9' },
      prometheus: false,
      hostInterval: false,
      env: {},
      logger: { console: false, files: false },
      writeWarning: () => {},
    });
    const span = trace.getTracer('shop').startSpan('order placed');
    span.end();
    metrics.getMeter('shop').createCounter('shop.orders').add(3);
    await telemetry.forceFlush('1s');
    await telemetry.shutdown('1s');

    const { code, stdout } = await runCliProcess(['telemetry', 'replay', home, '--to', stack.otlp, '--json']);
    expect({ code, report: JSON.parse(stdout) as unknown }).toMatchObject({
      code: 0,
      report: { signals: { traces: { sent: 1 } } },
    });
    const { traceId } = span.spanContext();
    const found = await until('the trace in Jaeger', () => jaegerTrace(stack, traceId), ARRIVAL_MS);
    expect(found.spans.map(({ operationName }) => operationName)).toEqual(['order placed']);
    const [series] = await arrived(stack, 'shop_orders_total{service_name="offline-shop"}');
    expect(series?.value[1]).toBe('3');
  });
});
