import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ARRIVAL_MS, arrived, promQuery, shownSamples } from './support/backend-queries.ts';
import { complaint, queriesShownBy } from './support/dashboard-queries.ts';
import { sendPoints } from './support/metric-points.ts';
import { postSpans } from './support/otlp-spans.ts';
import { until } from './support/poll.ts';
import { Stack } from './support/stack.ts';

const QUEUE_SIZE = 50;
const BURST = QUEUE_SIZE + 10;

/** Several targets answer, and this takes them for one. */
const FAILING_RULES = {
  groups: [{ name: 'planted', rules: [{ record: 'planted', expr: 'up * on () up' }] }],
};

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start({ rules: { 'planted.yaml': FAILING_RULES } });
});

afterAll(() => stack?.stop());

/** Starts the Collector anew, with something over its configuration. */
async function restartCollector(over?: object): Promise<void> {
  const path = join(stack.folder, 'planted-collector.yaml');
  await stack.stopCollector();
  if (over) writeFileSync(path, stringify(over));
  await stack.startCollector(over && path);
}

/** Waits until Prometheus has recorded what the Collector has lost. @returns how much that is */
async function recordedLosses(reason: string, exporter: string, condition: string): Promise<number> {
  const series = `sum(collector:lost_items:total{reason="${reason}",exporter="${exporter}"})`;
  const [sample] = await arrived(stack, `${series} ${condition}`);
  return Number(sample?.value[1]);
}

function notified(alertname: string, labels: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const ask = async () => stack.webhook.find('firing', { alertname, ...labels });
  return until(`the notification of ${alertname}`, ask, ARRIVAL_MS);
}

describe('the first span that ever finds the queue full', () => {
  const exporter = 'otlp_grpc/jaeger';

  beforeAll(async () => {
    await restartCollector({ exporters: { [exporter]: { sending_queue: { queue_size: QUEUE_SIZE } } } });
    await stack.stopJaeger();
    await recordedLosses('queue_full', exporter, '== 0');
  });

  test('is refused: its sender is told to come again', async () => {
    const { status } = await postSpans(stack.otlp, 'burst', 'work', { count: BURST });
    expect(status).toBe(503);
  });

  test('is counted and notified, although the Collector’s counter begins with it', async () => {
    expect(await recordedLosses('queue_full', exporter, '> 0')).toBe(BURST);
    await notified('CollectorDroppingData', { exporter });
    // What a rule would see that read the Collector's own counter.
    const name = 'otelcol_exporter_enqueue_failed_spans_total';
    expect((await promQuery(stack, `rate(${name}[5m])`)).map(({ value }) => value[1])).toEqual(['0']);
  });

  test('is counted by the span metrics already', async () => {
    const [sample] = await arrived(stack, 'traces_span_metrics_calls_total{service_name="burst"} > 0');
    expect(Number(sample?.value[1])).toBe(BURST);
  });
});

describe('a Collector without memory', () => {
  beforeAll(async () => {
    await stack.startJaeger();
    await restartCollector({ processors: { memory_limiter: { limit_mib: 2, spike_limit_mib: 1 } } });
  });

  test('refuses, which is notified', async () => {
    const refused = async (): Promise<true | undefined> => {
      const { status } = await postSpans(stack.otlp, 'refused', 'work');
      return status === 503 ? true : undefined;
    };
    await until('a refusal', refused, ARRIVAL_MS);
    await arrived(stack, 'otelcol_receiver_refused_spans_total > 0');
    await refused();
    expect(await notified('CollectorRefusingData')).toMatchObject({ labels: { receiver: 'otlp' } });
  });
});

describe('the first metric point that is ahead of Prometheus’ clock', () => {
  const exporter = 'otlp_http/prometheus';

  beforeAll(async () => {
    await restartCollector();
    await recordedLosses('refused', exporter, '== 0');
    await sendPoints(stack, 'ahead', {}, { hours: 3 });
  });

  test('is lost with all that is in its request, which is counted and notified', async () => {
    expect(await recordedLosses('refused', exporter, '> 0')).toBe(2);
    await notified('CollectorDroppingData', { exporter });
    expect(await promQuery(stack, '{__name__=~"point_.*",service_name="ahead"}')).toEqual([]);
  });

  test('is an error that Prometheus answers with, and none of its counts of samples', async () => {
    const [answers] = await arrived(
      stack,
      'prometheus_http_requests_total{handler=~".*/otlp/.*",code="400"}',
    );
    expect(answers?.value[1]).toBe('1');
    const refused = '{__name__=~"prometheus_tsdb_(too_old|out_of_bound)_samples_total"} > 0';
    expect(await promQuery(stack, refused)).toEqual([]);
    // This counter begins with its first error, too, and a panel shows its rate.
    await sendPoints(stack, 'ahead', { hours: 3 });
  });
});

describe('a metric point of delta temporality', () => {
  test('is lost with all that is in its request, which is counted', async () => {
    const before = await recordedLosses('refused', 'otlp_http/prometheus', '> 2');
    await sendPoints(stack, 'delta', {}, { delta: true });
    expect(await recordedLosses('refused', 'otlp_http/prometheus', `> ${before}`)).toBe(before + 2);
    expect(await promQuery(stack, '{__name__=~"point_.*",service_name="delta"}')).toEqual([]);
  });
});

describe('the dashboards', () => {
  test.each(queriesShownBy('losses.test.ts'))('show it: $where', async ({ where, expr }) => {
    expect(complaint(where, await shownSamples(stack, expr))).toBeUndefined();
  });

  test('and a rule that fails is notified', async () => {
    expect(await notified('PrometheusRuleFailures')).toMatchObject({ labels: { severity: 'critical' } });
  });
});
