import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prometheusName } from '../../dashboards/src/prometheus-name.ts';
import { METRIC_CALLS } from '../../src/signals/semconv.ts';
import { jaegerTrace, jaegerTraces, promQuery } from '../stack/support/backend-queries.ts';
import { queriesShownBy } from '../stack/support/dashboard-queries.ts';
import { ROOT } from '../stack/support/documents.ts';
import { sendSpans } from '../stack/support/otlp-spans.ts';
import { getJson, isUp, until } from '../stack/support/poll.ts';
import { checkout } from './support/checkout.ts';
import { docker, run } from './support/docker.ts';
import { listeners } from './support/listeners.ts';
import { Project } from './support/project.ts';

const HEALTHY_MS = 60_000;
const ARRIVAL_MS = 60_000;
const NOTIFICATION_MS = 100_000;
const PORTS = [3000, 4317, 4318, 9090, 9093, 16686];

let project: Project;
let upMs: number;

beforeAll(async () => {
  project = await Project.make({
    folder: checkout(),
    variables: { METRIC_INTERVAL_SECONDS: '5', DEMO_FOR: '20s' },
  });
  const started = performance.now();
  await project.up();
  upMs = performance.now() - started;
  console.log(`docker compose up --wait: ${(upMs / 1_000).toFixed(1)} s`);
});

afterAll(() => project?.end());

/** @returns a result of Prometheus, once there is any */
function inPrometheus(
  query: string,
): Promise<readonly { readonly metric: Readonly<Record<string, string>> }[]> {
  const ask = async () => {
    const found = await promQuery(project, query);
    return found.length > 0 ? found : undefined;
  };
  return until(query, ask, ARRIVAL_MS);
}

describe('docker compose up --wait', () => {
  test('is healthy within a minute, all of it', async () => {
    expect(upMs).toBeLessThan(HEALTHY_MS);
    const states = (await project.containers()).map(
      (each) => `${each.service}: ${each.state} ${each.health}`,
    );
    expect(states.toSorted()).toEqual([
      'alertmanager: running healthy',
      'grafana: running healthy',
      'jaeger: running healthy',
      'otel-collector: running healthy',
      'prometheus: running healthy',
      'secrets-init: exited ',
      'volumes-init: exited ',
      'volumes-watch: running healthy',
    ]);
  });

  test('gives no container more than it needs', async () => {
    for (const { service, state } of await project.containers()) {
      if (state !== 'running') continue;
      const { Config, HostConfig } = await project.inspect(service);
      expect.soft(Config.User, service).toMatch(/^[1-9]\d*:\d+$/);
      expect.soft(HostConfig, service).toMatchObject({
        ReadonlyRootfs: true,
        Privileged: false,
        CapAdd: null,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
      });
      expect.soft(HostConfig.Memory, service).toBeGreaterThan(0);
      expect.soft(HostConfig.PidsLimit, service).toBeGreaterThan(0);
    }
  });

  test('listens on loopback and nowhere else', async () => {
    const open = listeners().filter(({ port }) => PORTS.includes(port));
    expect(open.map(({ port }) => port).toSorted((a, b) => a - b)).toEqual(PORTS);
    expect(new Set(open.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']));
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal);
    expect(others.length).toBeGreaterThan(0);
    for (const { address } of others) {
      for (const port of PORTS)
        await expect(fetch(`http://${address}:${port}/`)).rejects.toThrow('fetch failed');
    }
  });

  test.each([
    ['Prometheus', () => `${project.prometheus}/api/v1/status/buildinfo`],
    ['Jaeger', () => `${project.jaeger}/api/services`],
    ['the Collector', () => `${project.otlp}/v1/traces`],
  ])('%s lets no page of another origin read it', async (_, url) => {
    const response = await fetch(url(), { headers: { origin: 'http://other.example' } });
    await response.arrayBuffer();
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('Alertmanager lets every page read it, and has no switch for it: dashboards/README.md warns', async () => {
    const response = await fetch(`${project.alertmanager}/api/v2/alerts`, {
      headers: { origin: 'http://other.example' },
    });
    await response.arrayBuffer();
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });

  test('keeps exemplars, and takes no orders over HTTP', async () => {
    const flags = await getJson<{ readonly data: Readonly<Record<string, string>> }>(
      `${project.prometheus}/api/v1/status/flags`,
    );
    expect(flags?.data).toMatchObject({
      'enable-feature': 'exemplar-storage',
      'web.enable-lifecycle': 'false',
      'web.enable-admin-api': 'false',
    });
    const exemplars = await getJson(`${project.prometheus}/api/v1/query_exemplars?query=up&start=0&end=1`);
    expect(exemplars).toEqual({ status: 'success', data: [] });
  });
});

describe('the profiles', () => {
  beforeAll(() => project.up('--profile', 'demo', '--profile', 'host'));

  test('demo: its calls are in Prometheus and its traces in Jaeger', async () => {
    const calls = await inPrometheus(`${prometheusName(METRIC_CALLS)}{service_name="storefront"} > 0`);
    expect(calls.length).toBeGreaterThan(0);
    const traces = await until(
      'a trace of the demo',
      async () => {
        const found = await jaegerTraces(project, 'storefront', 'payments charge');
        return found.length > 0 ? found : undefined;
      },
      ARRIVAL_MS,
    );
    expect(traces.flatMap(({ spans }) => spans).length).toBeGreaterThan(traces.length);
  });

  test('demo: its services read the limit of their container', async () => {
    const [memory] = queriesShownBy('container.test.ts').filter(({ where }) => where.includes('memory'));
    const found = await inPrometheus(`(${memory?.expr}) > 0`);
    expect(found.map(({ metric }) => metric['service_name'])).toContain('storefront');
  });

  test('demo: span metrics are counted before anything is sampled', async () => {
    expect(await inPrometheus('traces_span_metrics_calls_total{service_name="storefront"}')).not.toEqual([]);
  });

  test('host: the machine reports its own disk, memory and processors, under the names of the conventions', async () => {
    const of = `{service_name="host", host_name="${hostname()}"`;
    for (const query of [
      `system_filesystem_usage_bytes${of}, system_filesystem_mountpoint="/", system_filesystem_state="used"} > 0`,
      `system_memory_utilization_ratio${of}, system_memory_state="used"} > 0`,
      `system_cpu_time_seconds_total${of}, cpu_mode="idle"} > 0`,
    ]) {
      expect(await inPrometheus(query), query).toHaveLength(1);
    }
  });
});

describe('keelson doctor', () => {
  test('finds nothing broken, from its own span, metric and alert to where they arrive', async () => {
    const answer = await run(process.execPath, [join(ROOT, 'dist/cli/main.js'), 'doctor', '--json'], {
      cwd: project.world,
    });
    const report = JSON.parse(answer.stdout) as {
      readonly checks: readonly { readonly name: string; readonly status: string }[];
    };
    const broken = report.checks.filter(({ status }) => status === 'fail' || status === 'skipped');
    expect(broken).toEqual([]);
    expect(answer.code).toBe(0);
  });
});

describe('alerts', () => {
  test('reach a webhook on the host: from a rule, and with a severity that pages', async () => {
    const now = Date.now();
    const posted = await fetch(`${project.alertmanager}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([
        {
          labels: { alertname: 'ComposeTest', severity: 'critical' },
          endsAt: new Date(now + 600_000).toISOString(),
        },
      ]),
    });
    expect(posted.status).toBe(200);
    const page = await until(
      'the page',
      async () => project.webhook.find('firing', { alertname: 'ComposeTest' }),
      NOTIFICATION_MS,
    );
    expect(page.path).toBe('/alerts');
    const watchdog = await until(
      'the watchdog',
      async () => project.webhook.find('firing', { alertname: 'Watchdog' }),
      NOTIFICATION_MS,
    );
    expect(watchdog.path).toBe('/watchdog');
  });
});

describe('what is kept', () => {
  test('spans that arrive while Jaeger is away, even when the Collector starts anew', async () => {
    await project.compose('stop', 'jaeger');
    const traceId = await sendSpans(project.otlp, 'compose-test', 'while Jaeger was away');
    await project.compose('restart', 'otel-collector');
    await project.compose('start', 'jaeger');
    const trace = await until('the span', () => jaegerTrace(project, traceId), ARRIVAL_MS);
    expect(trace.spans.map((span) => span.operationName)).toEqual(['while Jaeger was away']);
  });

  test('metrics and silences over down and up; nothing else of it stays behind', async () => {
    const silence = await fetch(`${project.alertmanager}/api/v2/silences`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        matchers: [{ name: 'alertname', value: 'Kept', isRegex: false, isEqual: true }],
        startsAt: new Date().toISOString(),
        endsAt: new Date(Date.now() + 3_600_000).toISOString(),
        createdBy: 'test',
        comment: 'kept',
      }),
    });
    expect(silence.status).toBe(200);
    const query = `max_over_time(${prometheusName(METRIC_CALLS)}{service_name="storefront"}[10m])`;
    const before = (await promQuery(project, query)).length;
    expect(before).toBeGreaterThan(0);

    const down = await project.compose('--profile', '*', 'down');
    expect(down.code, down.text).toBe(0);
    const { stdout: containers } = await docker(project.world, 'ps', '--all', '--quiet');
    expect(containers).toBe('');
    const { stdout: networks } = await docker(project.world, 'network', 'ls', '--format={{.Name}}');
    expect(networks.trim().split('\n').toSorted()).toEqual(['bridge', 'host', 'none']);
    const { stdout: volumes } = await docker(project.world, 'volume', 'ls', '--format={{.Name}}');
    expect(
      volumes
        .trim()
        .split('\n')
        .filter((name) => !/^keelson_[a-z-]+$/.test(name)),
    ).toEqual([]);

    await project.up();
    expect(await isUp(`${project.grafana}/api/health`)).toBe(true);
    expect(await promQuery(project, query)).toHaveLength(before);
    const silences = await getJson<readonly { readonly comment: string }[]>(
      `${project.alertmanager}/api/v2/silences`,
    );
    expect(silences?.map(({ comment }) => comment)).toContain('kept');
  });
});
