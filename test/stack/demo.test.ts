import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as semconv from '../../src/signals/semconv.ts';
import {
  prometheusLabel,
  prometheusName,
  prometheusSeries,
} from '../../src/telemetry/prometheus/prometheus-name.ts';
import {
  ARRIVAL_MS,
  arrived,
  type JaegerSpan,
  type JaegerTrace,
  jaegerTraces,
  linksOf,
  panelSamples,
  parentOf,
  promQuery,
  tag,
} from './support/backend-queries.ts';
import { complaint, everydayQueries, NOT_IN_DEMO } from './support/dashboard-queries.ts';
import { Demo, type DemoSummary, faultBefore } from './support/demo.ts';
import { getJson, until } from './support/poll.ts';
import { Stack } from './support/stack.ts';
import { shippedBoundMs, shownWaits } from './support/timings.ts';
import type { Notice } from './support/webhook.ts';

const NOTIFICATION_MS = 6_000;
const SERVICES = ['inventory', 'payments', 'shipping', 'storefront'];
const ALERT = { alertname: 'CircuitBreakerOpen', service_name: 'storefront', keelson_guard_name: 'payments' };

let stack: Stack;
let demo: Demo;
let summary: DemoSummary;
let firing: Notice;
let resolved: Notice;

beforeAll(async () => {
  stack = await Stack.start();
  demo = new Demo(stack, '20s');
  summary = await demo.summary();
  firing = await until('the notification', async () => stack.webhook.find('firing', ALERT), ARRIVAL_MS);
  resolved = await until('the resolution', async () => stack.webhook.find('resolved', ALERT), ARRIVAL_MS);
}, 120_000);

afterAll(async () => {
  await demo?.stop();
  await stack?.stop();
});

/** A payment that took several attempts: its call, the attempts in their order, and the trace around them. */
interface RetriedPayment {
  readonly trace: JaegerTrace;
  readonly call: JaegerSpan;
  readonly attempts: readonly JaegerSpan[];
}

const attemptNumber = (span: JaegerSpan): number => Number(tag(span, semconv.ATTR_ATTEMPT_NUMBER));

async function retriedPayment(): Promise<RetriedPayment | undefined> {
  for (const trace of await jaegerTraces(stack, 'storefront', 'payments charge attempt')) {
    const call = trace.spans.find(
      (span) => span.operationName === 'payments charge' && tag(span, semconv.ATTR_OUTCOME) === 'success',
    );
    const attempts = trace.spans
      .filter((span) => span.operationName === 'payments charge attempt')
      // Two of them may begin in the same millisecond.
      .toSorted((a, b) => attemptNumber(a) - attemptNumber(b));
    if (call && attempts.length >= 2) return { trace, call, attempts };
  }
  return undefined;
}

describe('the demo', () => {
  test('had every kind of outcome, opened its breaker and closed it again', () => {
    expect(Object.entries(summary.calls).filter(([, count]) => count === 0)).toEqual([]);
    expect(summary.breakerTransitions['open']).toBeGreaterThan(0);
    expect(summary.breakerTransitions['closed']).toBeGreaterThan(0);
  });

  test('left no process behind', () => {
    const alive = summary.processes.filter(({ pid }) => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    });
    expect(alive).toEqual([]);
  });
});

describe('the trace of a retried payment', () => {
  let payment: RetriedPayment;

  beforeAll(async () => {
    payment = await until('a retried payment in Jaeger', retriedPayment, ARRIVAL_MS);
  });

  test('has each attempt under the call, linked to the one before', () => {
    const { call, attempts } = payment;
    expect(tag(call, semconv.ATTR_ATTEMPTS)).toBe(attempts.length);
    expect(attempts.map(parentOf)).toEqual(attempts.map(() => call.spanID));
    expect(attempts.map(linksOf)).toEqual(
      attempts.map((_, index) => (index === 0 ? [] : [attempts[index - 1]?.spanID])),
    );
    expect(attempts.map((span) => tag(span, semconv.ATTR_OUTCOME)).at(-1)).toBe('success');
    expect(attempts.slice(0, -1).map((span) => tag(span, semconv.ATTR_OUTCOME))).not.toContain('success');
  });

  test('goes on in the process of payments, below the last attempt', () => {
    const { trace, attempts } = payment;
    const byId = new Map(trace.spans.map((span) => [span.spanID, span]));
    const ancestors = (span: JaegerSpan): readonly string[] => {
      const parent = byId.get(parentOf(span) ?? '');
      return parent ? [parent.spanID, ...ancestors(parent)] : [];
    };
    const served = trace.spans.filter((span) => trace.processes[span.processID]?.serviceName === 'payments');
    const last = attempts.at(-1)?.spanID ?? '';
    expect(served.filter((span) => ancestors(span).includes(last))).not.toEqual([]);
  });
});

describe('in Jaeger', () => {
  test('all four services have spoken', async () => {
    const services = await until(
      'the services',
      async () => {
        const answer = await getJson<{ readonly data: readonly string[] }>(`${stack.jaeger}/api/services`);
        return SERVICES.every((name) => answer?.data.includes(name)) ? answer?.data : undefined;
      },
      ARRIVAL_MS,
    );
    expect(services.toSorted()).toEqual(SERVICES);
  });
});

/** The demo's guards share nothing with other processes; the test of the names has a guard that does. */
const OF_SHARED_STATE: ReadonlySet<semconv.MetricDefinition> = new Set([
  semconv.METRIC_RATE_LIMITER_STORE_FAILURES,
  semconv.METRIC_RATE_LIMITER_UNLIMITED,
  semconv.METRIC_CACHE_TIER_FAILURES,
]);

describe('in Prometheus', () => {
  test.each(semconv.GUARD_METRICS.filter((metric) => !OF_SHARED_STATE.has(metric)).flatMap(prometheusSeries))(
    '%s is there under its golden name',
    async (series) => {
      const found = await arrived(stack, `${series}{service_name="storefront"}`);
      expect(found.length).toBeGreaterThan(0);
    },
  );

  test.each([...OF_SHARED_STATE].flatMap(prometheusSeries))(
    '%s is not there without shared state',
    async (series) => {
      expect(await promQuery(stack, `${series}{service_name="storefront"}`)).toEqual([]);
    },
  );

  test('the calls by outcome are those that the demo counted', async () => {
    const outcome = prometheusLabel(semconv.ATTR_OUTCOME);
    const query = `sum by (${outcome}) (${prometheusName(semconv.METRIC_CALLS)}{service_name="storefront"})`;
    let counted: Readonly<Record<string, number>> = {};
    const count = async (): Promise<true | undefined> => {
      const found = await promQuery(stack, query);
      counted = Object.fromEntries(found.map(({ metric, value }) => [metric[outcome], Number(value[1])]));
      return Object.entries(summary.calls).every(([name, calls]) => counted[name] === calls)
        ? true
        : undefined;
    };
    await until('every call in Prometheus', count, ARRIVAL_MS).catch(() => undefined);
    expect(counted).toEqual(summary.calls);
  });

  test('every service is counted once, by the way of OTLP', async () => {
    const found = await arrived(stack, 'count by (service_name) (target_info{telemetry_sdk_name!=""})');
    expect(new Set(found.map(({ metric }) => metric['service_name']))).toEqual(new Set(SERVICES));
  });

  test.each(everydayQueries())('the dashboards show of it what is there: $where', async ({ where, expr }) => {
    expect(complaint(where, await panelSamples(stack, expr), NOT_IN_DEMO)).toBeUndefined();
  });
});

describe('CircuitBreakerOpen', () => {
  test('reached the webhook with its labels and where to look', () => {
    expect(firing).toMatchObject({
      path: '/alerts',
      receiver: 'critical',
      labels: { ...ALERT, severity: 'critical' },
      annotations: {
        summary: 'Circuit breaker payments of storefront is not closed',
        runbook_url: 'dashboards/runbooks/CircuitBreakerOpen.md',
        dashboard_url: expect.stringContaining('var-service=storefront&var-guard=payments'),
      },
    });
  });

  test('came within six seconds of the fault, and resolved', () => {
    const fault = faultBefore(summary.transitions, 'payments', firing.at) ?? 0;
    const recovery = summary.transitions.findLast(({ guard, to }) => guard === 'payments' && to === 'closed');
    const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
    console.log(
      [
        `fault to notification with the overlay: ${seconds(firing.at - fault)} (bound ${seconds(NOTIFICATION_MS)})`,
        `recovery to resolution with the overlay: ${seconds(resolved.at - (recovery?.at ?? 0))}`,
        `fault to notification as shipped: at most ${seconds(shippedBoundMs())}`,
        ...shownWaits(),
      ].join('\n'),
    );
    expect(firing.at - fault).toBeGreaterThan(0);
    expect(firing.at - fault).toBeLessThanOrEqual(NOTIFICATION_MS);
    expect(resolved.at).toBeGreaterThan(firing.at);
  });
});
