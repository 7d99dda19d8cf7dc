import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as semconv from '../../src/signals/semconv.ts';
import {
  prometheusLabel,
  prometheusName,
  prometheusSeries,
} from '../../src/telemetry/prometheus/prometheus-name.ts';
import { BORN_IN_TROUBLE, INFRASTRUCTURE } from '../unit/dashboards/infrastructure-metrics.ts';
import {
  ARRIVAL_MS,
  arrived,
  type JaegerSpan,
  jaegerTrace,
  linksOf,
  panelSamples,
  parentOf,
  promQuery,
  tag,
} from './support/backend-queries.ts';
import { complaint, everydayQueries } from './support/dashboard-queries.ts';
import { openBreakerLabels, runFault } from './support/fault-run.ts';
import { sendLate } from './support/metric-points.ts';
import { getJson, until } from './support/poll.ts';
import { SECRET, ShopService } from './support/shop-service.ts';
import { Stack } from './support/stack.ts';

interface RulesAnswer {
  readonly data: {
    readonly groups: readonly {
      readonly rules: readonly {
        readonly name: string;
        readonly health: string;
        readonly lastError?: string;
      }[];
    }[];
  };
}

const NOTIFICATION_MS = 6_000;
const label = prometheusLabel;

let stack: Stack;
let shop: ShopService;

beforeAll(async () => {
  stack = await Stack.start();
  shop = new ShopService('shop', stack);
  stack.webhook.refused = 'RateLimitStoreFailing';
});

afterAll(async () => {
  await shop?.stop();
  await stack?.stop();
});

const guardLabels = { service_name: 'shop', [label(semconv.ATTR_GUARD_NAME)]: 'payments' };
const selector = Object.entries(guardLabels)
  .map(([name, value]) => `${name}="${value}"`)
  .join(',');

describe('the trace of a retried payment', () => {
  test('is in Jaeger with its attempts, the second linked to the first', async () => {
    shop.failures = 1;
    const traceId = await shop.pay();
    const trace = await until(
      'the trace in Jaeger',
      async () => {
        const found = await jaegerTrace(stack, traceId);
        return found?.spans.length === 4 ? found : undefined;
      },
      ARRIVAL_MS,
    );
    // By their number: two of them may begin in the same millisecond.
    const attempt = (span: JaegerSpan) => Number(tag(span, semconv.ATTR_ATTEMPT_NUMBER) ?? 0);
    const named = (name: string) =>
      trace.spans.filter((span) => span.operationName === name).toSorted((a, b) => attempt(a) - attempt(b));
    const [call] = named('payments charge');
    const [first, second] = named('payments charge attempt');
    expect(call && tag(call, semconv.ATTR_OUTCOME)).toBe('success');
    expect(call && tag(call, semconv.ATTR_ATTEMPTS)).toBe(2);
    const [one, two] = [first, second].map((span) => Number(span && tag(span, semconv.ATTR_ATTEMPT_NUMBER)));
    expect(two).toBe((one ?? Number.NaN) + 1);
    expect([first, second].map((span) => span && tag(span, semconv.ATTR_OUTCOME))).toEqual([
      'failure',
      'success',
    ]);
    expect([first, second].map((span) => span && parentOf(span))).toEqual([call?.spanID, call?.spanID]);
    expect(second && linksOf(second)).toEqual([first?.spanID]);
  });

  test('has lost every credential on its way', async () => {
    shop.failures = 1;
    const traceId = await shop.pay();
    const trace = await until('the trace in Jaeger', () => jaegerTrace(stack, traceId), ARRIVAL_MS);
    const text = JSON.stringify(trace);
    expect(text).not.toContain(SECRET);
    const server = trace.spans.find((span) => span.operationName === 'POST /orders');
    expect(server && tag(server, 'url.full')).toBe(
      'https://REDACTED@payments.example/charge?access_token=REDACTED&id=7',
    );
    expect(server && tag(server, 'note')).toBe('sent Bearer [redacted] to payments');
    expect(server && tag(server, 'gen_ai.usage.input_tokens')).toBe(7);
  });
});

describe('the metrics of the guard', () => {
  test.each(
    semconv.GUARD_METRICS.flatMap((metric) =>
      prometheusSeries(metric).map((series) => [series, metric] as const),
    ),
  )('%s is in Prometheus with the labels of its instrument', async (series, metric) => {
    const [sample] = await arrived(stack, `${series}{service_name="shop"}`);
    const optional = [semconv.ATTR_ERROR_TYPE];
    const expected = metric.attributes.filter((key) => !optional.some((each) => each === key)).map(label);
    expect(Object.keys(sample?.metric ?? {})).toEqual(expect.arrayContaining(expected));
    expect(sample?.metric).toMatchObject({
      service_name: 'shop',
      service_namespace: 'stack-test',
      service_instance_id: 'one',
      service_version: '1.2.3',
      deployment_environment_name: 'test',
    });
  });

  test('count the calls that were made', async () => {
    const name = prometheusName(semconv.METRIC_CALLS);
    const { calls } = shop.guard.snapshot();
    const succeeded = `sum(${name}{${selector},${label(semconv.ATTR_OUTCOME)}="success"})`;
    const [count] = await arrived(stack, `${succeeded} == ${calls.success}`);
    expect(count?.value[1]).toBe(String(calls.success));
  });

  test('come with those of the spans, which belong to the service and to no instance of it', async () => {
    const [sample] = await arrived(
      stack,
      'traces_span_metrics_calls_total{service_name="shop",span_name="payments charge"}',
    );
    expect(sample?.metric).toMatchObject({ service_name: 'shop', service_namespace: 'stack-test' });
    expect(sample?.metric).not.toHaveProperty('service_instance_id');
    const exemplars = await fetch(
      `${stack.prometheus}/api/v1/query_exemplars?query=traces_span_metrics_duration_milliseconds_bucket&start=0&end=${Date.now() / 1000 + 60}`,
    );
    expect(await exemplars.text()).toContain('"trace_id"');
  });

  test('and `target_info` says which services have spoken', async () => {
    const found = await promQuery(stack, 'target_info{service_name="shop",telemetry_sdk_name!=""}');
    expect(found.map(({ metric }) => metric['service_instance_id'])).toEqual(['one']);
  });
});

describe('the Collector’s own metrics', () => {
  test('have the names that alerts about it will use', async () => {
    const found = await arrived(
      stack,
      'otelcol_exporter_sent_spans_total{job="otel-collector",exporter="otlp_grpc/jaeger"}',
    );
    expect(found).toHaveLength(1);
  });
});

describe('CircuitBreakerOpen', () => {
  test('fires, is notified within six seconds of the fault, and resolves', async () => {
    shop.startLoad();
    const { failingAt, openedAt, firing, closedAt, resolved } = await runFault(stack, shop);
    const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
    console.log(
      `one guard, with the overlay: fault to notification ${seconds(firing.at - failingAt)}, of which until the breaker opened ${seconds(openedAt - failingAt)}; recovery to resolution ${seconds(resolved.at - closedAt)}`,
    );
    expect(firing).toMatchObject({
      path: '/alerts',
      receiver: 'critical',
      labels: { ...openBreakerLabels(shop), severity: 'critical', service_namespace: 'stack-test' },
      annotations: {
        summary: 'Circuit breaker payments of shop is not closed',
        runbook_url: expect.stringContaining('CircuitBreakerOpen'),
        dashboard_url: expect.stringContaining('var-service=shop&var-guard=payments'),
      },
    });
    expect(openedAt).toBeGreaterThan(failingAt);
    expect(firing.at).toBeGreaterThan(openedAt);
    expect(firing.at - failingAt).toBeLessThanOrEqual(NOTIFICATION_MS);
  });

  test('fired once for the whole outage: half-open trials neither resolved nor repeated it', () => {
    const notices = stack.webhook.notices.filter(
      (notice) => notice.labels['alertname'] === 'CircuitBreakerOpen',
    );
    expect(shop.openedAt.length).toBeGreaterThan(1);
    expect(notices.map((notice) => notice.status)).toEqual(['firing', 'resolved']);
  });
});

describe('the dashboards', () => {
  beforeAll(async () => {
    await sendLate(stack);
    await arrived(stack, 'sum(rate(collector:lost_items:total[1m])) > 0');
    await arrived(stack, 'sum(rate(prometheus_tsdb_too_old_samples_total[1m])) > 0');
    await arrived(stack, 'sum(alertmanager_notifications_failed_total) > 0');
  });

  test.each(everydayQueries())('have something to show: $where', async ({ where, expr }) => {
    expect(complaint(where, await panelSamples(stack, expr))).toBeUndefined();
  });
});

describe('the rules', () => {
  test('are all evaluated without an error', async () => {
    const answer = await getJson<RulesAnswer>(`${stack.prometheus}/api/v1/rules`);
    const rules = answer?.data.groups.flatMap((group) => group.rules) ?? [];
    expect(rules.length).toBeGreaterThan(70);
    expect(
      rules.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => [name, lastError]),
    ).toEqual([]);
  });

  test('and the dashboards read series of the infrastructure that exist', async () => {
    const missing: string[] = [];
    for (const [series, labels] of Object.entries(INFRASTRUCTURE)) {
      if (BORN_IN_TROUBLE.includes(series)) continue;
      const [sample] = await promQuery(stack, `${series} and ${series}`);
      const absent = labels.filter(
        (name) => name !== 'service_namespace' && sample?.metric[name] === undefined,
      );
      if (sample === undefined || absent.length > 0) missing.push(`${series} ${absent.join(' ')}`);
    }
    expect(missing).toEqual([]);
  });
});

describe('Watchdog', () => {
  // It fires before Prometheus knows its Alertmanager, and is told again only after a minute.
  test('reaches its own webhook, and nobody else’s', async () => {
    const notice = await until(
      'the watchdog',
      async () => stack.webhook.find('firing', { alertname: 'Watchdog' }),
      75_000,
    );
    expect(notice.path).toBe('/watchdog');
    expect(
      stack.webhook.notices.filter(
        (each) => each.path === '/alerts' && each.labels['alertname'] === 'Watchdog',
      ),
    ).toEqual([]);
  });
});
