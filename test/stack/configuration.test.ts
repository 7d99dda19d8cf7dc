import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ruleFiles } from '../../dashboards/src/outputs.ts';
import { alertmanagerYaml } from '../../dashboards/src/routing.ts';
import { readSettings } from '../../dashboards/src/settings/settings.ts';
import {
  complaint,
  dashboardQueries,
  listProblems,
  NOT_IN_DEMO,
  SHOWN_ELSEWHERE,
} from './support/dashboard-queries.ts';
import { ROOT } from './support/documents.ts';
import { notificationText } from './support/notification-text.ts';
import { tool } from './support/run.ts';

const PROMETHEUS = 'dashboards/prometheus/prometheus.yml';
const RULE_FILES = ['guards', 'slo', 'host', 'telemetry'];
const rulesOf = (name: string): string => `dashboards/prometheus/rules/${name}.yaml`;
const testsOf = (name: string): string => `dashboards/prometheus/tests/${name}.yaml`;
const ALERTMANAGER = 'dashboards/alertmanager/alertmanager.yml';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keelson-configuration-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a copy of a shipped file with one text replaced. */
function planted(file: string, name: string, from: string, to: string): string {
  const before = readFileSync(join(ROOT, file), 'utf8');
  const after = before.replaceAll(from, to);
  if (after === before) throw new Error(`Nothing to replace in ${file}.`);
  const path = join(folder, name);
  writeFileSync(path, after);
  return path;
}

/** Queries as a file of rules, which is what promtool checks. */
function asRules(queries: readonly { readonly expr: string }[]): string {
  const path = join(folder, 'queries.yaml');
  const rules = queries.map(({ expr }, index) => ({ record: `query:${index}`, expr }));
  writeFileSync(path, stringify({ groups: [{ name: 'queries', rules }] }));
  return path;
}

describe('Prometheus', () => {
  test('accepts the shipped configuration', () => {
    expect(tool('promtool', 'check', 'config', PROMETHEUS)).toMatchObject({ code: 0 });
  });

  test('accepts the shipped rules, with every lint on', () => {
    const files = RULE_FILES.map(rulesOf);
    expect(tool('promtool', 'check', 'rules', '--lint=all', '--lint-fatal', ...files)).toMatchObject({
      code: 0,
    });
  });

  test.each(RULE_FILES)(
    'finds every alert of %s firing, silent and without data as its tests say',
    (name) => {
      expect(tool('promtool', 'test', 'rules', testsOf(name))).toMatchObject({ code: 0 });
    },
  );

  test.each([
    ['on `open` alone', 'guards', '="closed"} == 0', '="open"} == 1', 'half-open trials'],
    [
      'that takes a disabled breaker for an open one',
      'guards',
      '="disabled"} == 1',
      '="forced_open"} == 1',
      'switched off',
    ],
    [
      'that leaves the successes out of its share',
      'guards',
      '"success|failure|timeout"',
      '"rejected|failure|timeout"',
      'a quarter',
    ],
    ['without a minimum of traffic', 'guards', '> 0.1) > 0.05', '> 0) > 0.05', 'too few calls'],
    ['with another threshold', 'guards', '> 1.5\n', '> 5\n', 'two attempts for every call'],
    [
      'that takes span metrics for a sign of life',
      'telemetry',
      '{telemetry_sdk_name!=""}',
      '',
      'span metrics go on',
    ],
    [
      'that forgets the short window',
      'slo',
      'rate5m{slo="requests"} > 14.4',
      'rate1h{slo="requests"} > 14.4',
      'over for as long',
    ],
    [
      'that looks at a counter that begins with the first loss',
      'telemetry',
      'rate(collector:lost_items:total{reason="refused"}[5m])',
      'rate(otelcol_exporter_send_failed_metric_points_total[5m])',
      'the first loss',
    ],
    [
      'that takes a scrape that failed for a loss',
      'telemetry',
      'last_over_time(otelcol_exporter_send_failed_metric_points_total[1h])',
      'otelcol_exporter_send_failed_metric_points_total',
      'now a scrape fails',
    ],
    ['that waits longer', 'telemetry', 'for: 2m', 'for: 9m', 'it does not answer'],
  ])('would find an alert %s', (_, name, from, to, situation) => {
    mkdirSync(join(folder, 'rules'), { recursive: true });
    mkdirSync(join(folder, 'tests'), { recursive: true });
    planted(rulesOf(name), join('rules', `${name}.yaml`), from, to);
    const tests = join(folder, 'tests', `${name}.yaml`);
    writeFileSync(tests, readFileSync(join(ROOT, testsOf(name))));
    const answer = tool('promtool', 'test', 'rules', `--run=${situation}`, tests);
    expect(answer.code).not.toBe(0);
    expect(answer.text).toContain(situation);
  });
});

describe('the queries of the runbooks', () => {
  const pages = readdirSync(join(ROOT, 'dashboards/runbooks'));
  test.each(pages)('%s', (page) => {
    const text = readFileSync(join(ROOT, 'dashboards/runbooks', page), 'utf8');
    const queries = [...text.matchAll(/```promql\n([\s\S]*?)```/g)].map(([, query = '']) => ({
      expr: query.trim(),
    }));
    expect(queries.length).toBeGreaterThan(0);
    expect(tool('promtool', 'check', 'rules', '--lint=none', asRules(queries))).toMatchObject({ code: 0 });
  });
});

describe('the dashboards’ queries', () => {
  test('are PromQL with the right types', () => {
    const queries = dashboardQueries();
    expect(queries.length).toBeGreaterThan(90);
    expect(tool('promtool', 'check', 'rules', '--lint=none', asRules(queries))).toMatchObject({ code: 0 });
  });

  const known = dashboardQueries().map(({ where }) => where);

  test('are each shown by one test, which exists and asks for them', () => {
    expect(listProblems(SHOWN_ELSEWHERE, known)).toEqual([]);
    expect(listProblems({ demo: Object.keys(NOT_IN_DEMO) }, known)).toEqual([]);
    for (const file of Object.keys(SHOWN_ELSEWHERE)) {
      expect(readFileSync(join(ROOT, 'test/stack', file), 'utf8')).toContain(`queriesShownBy('${file}')`);
    }
  });

  test('would be reported: shown by two, not there, empty, or excused without need', () => {
    expect(listProblems({ one: ['a', 'b'], two: ['a'] }, ['a', 'b'])).toEqual(['a stands there twice']);
    expect(listProblems({ one: ['c'] }, ['a', 'b'])).toEqual(['c is no query']);
    expect(complaint('a', 0)).toBe('a shows nothing');
    expect(complaint('a', 3, { a: 'nothing fails' })).toBe('a shows something: "nothing fails" is not so');
    expect([complaint('a', 3), complaint('a', 0, { a: 'nothing fails' })]).toEqual([undefined, undefined]);
  });

  test.each(['rate(keelson_calls_total)', 'sum by (a (keelson_calls_total)'])(
    'would be refused as %s',
    (expr) => {
      expect(tool('promtool', 'check', 'rules', '--lint=none', asRules([{ expr }])).code).not.toBe(0);
    },
  );
});

describe('Alertmanager', () => {
  /** Every way to be told at once, made from settings of one's own. */
  const everyWay = (): string => {
    const path = join(folder, 'every-way.yml');
    const { notifications, ...rest } = readSettings();
    const all = ['webhook', 'slack', 'email'] as const;
    writeFileSync(
      path,
      alertmanagerYaml({ ...rest, notifications: { ...notifications, critical: all, warning: all } }),
    );
    return path;
  };

  test('accepts the shipped configuration, and one with every way to be told', () => {
    expect(tool('amtool', 'check-config', ALERTMANAGER)).toMatchObject({ code: 0 });
    expect(tool('amtool', 'check-config', everyWay())).toMatchObject({ code: 0 });
  });

  const shipped = ruleFiles(readSettings()).flatMap(({ groups }) => groups.flatMap((group) => group.alerts));
  const RECEIVER = { critical: 'critical', warning: 'warning', info: 'null', none: 'watchdog' } as const;
  const routes: readonly (readonly [string, string, readonly string[]])[] = [
    ...[...Map.groupBy(shipped, ({ severity }) => severity)].map(
      ([severity, [alert]]) =>
        [severity, RECEIVER[severity], [`alertname=${alert?.name}`, `severity=${severity}`]] as const,
    ),
    ['no severity', 'warning', ['alertname=Anything']],
  ];

  test.each(routes)('routes an alert with %s to %s', (_, receiver, labels) => {
    for (const config of [ALERTMANAGER, everyWay()]) {
      const routed = (expected: string) =>
        tool(
          'amtool',
          'config',
          'routes',
          'test',
          `--config.file=${config}`,
          `--verify.receivers=${expected}`,
          ...labels,
        );
      expect(routed(receiver)).toMatchObject({ code: 0 });
      expect(routed('somebody-else').code).not.toBe(0);
    }
  });

  test.each([
    ['keelson.title', 'text', ['[FIRING:1] CircuitBreakerOpen shop / payments']],
    ['keelson.link', 'text', ['http://127.0.0.1:3000/d/keelson-guards?var-service=shop']],
    [
      'keelson.slack.text',
      'text',
      ['*Circuit breaker payments of shop is not closed*', '|Dashboard>', '|Traces>', 'Runbook: dashboards/'],
    ],
    ['keelson.email.text', 'text', ['Traces:    http://127.0.0.1:16686', 'Runbook:   dashboards/runbooks']],
    ['keelson.email.html', 'html', ['<h3', '>Dashboard</a>', '&lt;b&gt;']],
  ] as const)('writes %s', (name, type, expected) => {
    const labels = {
      alertname: 'CircuitBreakerOpen',
      service_name: 'shop',
      keelson_guard_name: 'payments',
      severity: 'critical',
    };
    const annotations = {
      summary: 'Circuit breaker payments of shop is not closed',
      description: 'Calls of shop to <b>payments</b> are being refused.',
      dashboard_url: 'http://127.0.0.1:3000/d/keelson-guards?var-service=shop',
      runbook_url: 'dashboards/runbooks/CircuitBreakerOpen.md',
      traces_url: 'http://127.0.0.1:16686/search?service=shop',
    };
    const alert = { status: 'firing', labels, annotations, startsAt: '2026-11-22T10:00:00Z' };
    const document = {
      status: 'firing',
      commonLabels: labels,
      commonAnnotations: annotations,
      alerts: [alert],
    };
    const answer = notificationText(name, document, folder, type);
    expect(answer.code).toBe(0);
    for (const text of expected) expect(answer.text).toContain(text);
  });
});

describe('the Collector and Jaeger', () => {
  const OVERLAYS = readdirSync(join(ROOT, 'collector/overlays')).map((file) => `overlays/${file}`);
  const ofCollector = OVERLAYS.filter((file) => !file.includes('jaeger'));
  const flags = (...files: readonly string[]): readonly string[] =>
    files.map((file) => `--config=collector/${file}`);

  test.each([
    ['config.yaml', ['config.yaml']],
    ['agent.yaml', ['agent.yaml']],
    ...ofCollector.map((file) => [file, ['config.yaml', file]] as const),
    // The last of two lists is taken as a whole: these two both name the processors of traces.
    ['all overlays but one', ['config.yaml', ...ofCollector.filter((file) => !file.includes('probes'))]],
  ] as const)('the Collector accepts %s', (_, files) => {
    expect(tool('otelcol', 'validate', ...flags(...files))).toMatchObject({ code: 0 });
  });

  test('the Collector accepts the one for a machine’s metrics', () => {
    const path = planted('collector/host.yaml', 'host.yaml', '/hostfs', '/');
    expect(tool('otelcol', 'validate', `--config=${path}`)).toMatchObject({ code: 0 });
  });

  test.each([
    ['jaeger.yaml', ['jaeger.yaml']],
    ['storage on disk', ['jaeger.yaml', 'overlays/jaeger-badger.yaml']],
  ] as const)('Jaeger accepts %s', (_, files) => {
    expect(tool('jaeger', 'validate', ...flags(...files))).toMatchObject({ code: 0 });
  });

  test('would refuse a component that does not exist', () => {
    const path = planted('collector/config.yaml', 'config.yaml', 'memory_limiter', 'memory_limitation');
    expect(tool('otelcol', 'validate', `--config=${path}`).code).not.toBe(0);
  });

  test('the health check’s answer is a configuration that the health check accepts', () => {
    const config = readFileSync(join(ROOT, 'collector/config.yaml'), 'utf8');
    const answer = /healthy: '(.+)'/.exec(config)?.[1] ?? '';
    const path = join(folder, 'answer.yaml');
    writeFileSync(path, answer);
    expect(tool('otelcol', 'validate', `--config=${path}`)).toMatchObject({ code: 0 });
    writeFileSync(path, 'not ready');
    expect(tool('otelcol', 'validate', `--config=${path}`).code).not.toBe(0);
  });
});
