import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ruleFiles } from '../../../dashboards/src/outputs.ts';
import { readSettings } from '../../../dashboards/src/settings/settings.ts';
import * as semconv from '../../../src/signals/semconv.ts';
import { prometheusSeries } from '../../../src/telemetry/prometheus/prometheus-name.ts';
import { lint, type LintContext, type LintedDashboard, type LintedPanel, RULES } from './dashboard-rules.ts';
import { schemaProblems } from './dashboard-schema.ts';
import { knownSeries } from './known-series.ts';

interface Json {
  readonly [key: string]: unknown;
}

const FOLDER = join(import.meta.dirname, '../../../dashboards/grafana');
const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
const uidOf = (value: unknown): string | undefined => (value as { readonly uid?: string } | undefined)?.uid;

/** Reads a committed file the way Grafana does: as JSON, and nothing else. */
const read = (uid: string): Json => JSON.parse(readFileSync(join(FOLDER, `${uid}.json`), 'utf8')) as Json;

function linted(json: Json): LintedDashboard {
  return {
    ...(json as unknown as LintedDashboard),
    variables: list((json['templating'] as Json)['list']) as unknown as LintedDashboard['variables'],
    annotations: list((json['annotations'] as Json)['list']) as unknown as LintedDashboard['annotations'],
    panels: list(json['panels']).map((panel) => ({
      ...(panel as unknown as LintedPanel),
      datasource: uidOf(panel['datasource']),
      unit: (
        (panel['fieldConfig'] as Json | undefined)?.['defaults'] as { readonly unit?: string } | undefined
      )?.unit,
      targets: list(panel['targets']).map((target) => ({
        ...(target as unknown as LintedPanel['targets'][number]),
        datasource: uidOf(target['datasource']),
      })),
    })),
  };
}

const UIDS = ['keelson-overview', 'keelson-guards', 'keelson-host', 'keelson-telemetry'];
const context: LintContext = {
  series: knownSeries(),
  alerts: new Set(
    ruleFiles(readSettings()).flatMap(({ groups }) =>
      groups.flatMap(({ alerts }) => alerts.map(({ name }) => name)),
    ),
  ),
};
const json = read('keelson-guards');
const dashboard = linted(json);

/** The dashboard with one thing about its first real panel changed. */
function withPanel(change: Partial<LintedPanel>): LintedDashboard {
  const first = dashboard.panels.findIndex(({ type }) => type !== 'row');
  return {
    ...dashboard,
    panels: dashboard.panels.map((panel, index) => (index === first ? { ...panel, ...change } : panel)),
  };
}

const target = { refId: 'A', datasource: '${datasource}' };
const withExpr = (expr: string): LintedDashboard => withPanel({ targets: [{ ...target, expr }] });
const withVariables = (
  change: (variables: LintedDashboard['variables']) => LintedDashboard['variables'],
) => ({
  ...dashboard,
  variables: change(dashboard.variables),
});

test('every dashboard is checked', () => {
  expect(readdirSync(FOLDER).toSorted()).toEqual(UIDS.map((uid) => `${uid}.json`).toSorted());
});

describe.each(UIDS)('%s', (uid) => {
  const shipped = read(uid);

  test('keeps every rule', () => {
    expect(lint(linted(shipped), context)).toEqual([]);
  });

  test('has the form that Grafana reads', () => {
    expect(schemaProblems(shipped)).toEqual([]);
  });

  test('is found under its uid', () => {
    expect(shipped['uid']).toBe(uid);
  });

  test('links only to dashboards and variables that exist', () => {
    const links = [...JSON.stringify(shipped).matchAll(/"\/d\/([a-z-]+)\?([^"]*)"/g)];
    for (const [, target = '', query = ''] of links) {
      expect(UIDS).toContain(target);
      const names = linted(read(target)).variables.map(({ name }) => `var-${name}`);
      const used = [...query.matchAll(/\bvar-\w+/g)].map(([name]) => name);
      expect(used.filter((name) => !names.includes(name))).toEqual([]);
    }
  });
});

describe('the guards dashboard', () => {
  test('shows every metric of the guards', () => {
    const shown = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join('\n');
    const missing = semconv.GUARD_METRICS.filter(
      (metric) => !prometheusSeries(metric).some((series) => shown.includes(series)),
    );
    expect(missing).toEqual([]);
  });

  test('links its exemplars and its series to Jaeger', () => {
    const text = JSON.stringify(dashboard.panels);
    expect(text).toContain('"exemplar":true');
    expect(text).toContain('${jaeger_url}/search?service=${__field.labels.service_name}');
  });

  test('marks the changes of breakers', () => {
    const [, transitions] = dashboard.annotations;
    expect(transitions?.expr).toContain(prometheusSeries(semconv.METRIC_BREAKER_TRANSITIONS)[0]);
  });
});

describe('the check of the form', () => {
  const [panel] = list(json['panels']).filter(({ type }) => type === 'timeseries');
  const withBroken = (change: Json): Json => ({ ...json, panels: [{ ...panel, ...change }] });

  test.each([
    ['a key that Grafana does not know', { ...json, pannels: [] }],
    ['a schema of another form', { ...json, schemaVersion: 'v2' }],
    ['a panel of an unknown type', withBroken({ type: 'graph' })],
    ['a panel without a place', withBroken({ gridPos: undefined })],
    ['a typing error in a panel', withBroken({ desciption: 'x' })],
    ['a target without a query', withBroken({ targets: [{ refId: 'A' }] })],
    [
      'a threshold of the wrong type',
      withBroken({
        fieldConfig: {
          defaults: { thresholds: { mode: 'absolute', steps: [{ value: '5', color: 'red' }] } },
          overrides: [],
        },
      }),
    ],
  ])('reports %s', (_, broken) => {
    expect(schemaProblems(broken)).not.toEqual([]);
  });
});

describe('the linter', () => {
  const planted: Readonly<Record<string, LintedDashboard>> = {
    'stable-uid': { ...dashboard, uid: undefined },
    'classic-schema': { ...dashboard, schemaVersion: 43 },
    'uneditable-dashboard': { ...dashboard, editable: true },
    'few-panels': {
      ...dashboard,
      panels: Array.from({ length: 21 }, (_, index) => ({
        ...(dashboard.panels.find(({ type }) => type !== 'row') as LintedPanel),
        id: 100 + index,
        title: `copy ${index}`,
        gridPos: { x: 0, y: index * 8, w: 8, h: 8 },
      })),
    },
    'template-datasource': withVariables((all) => all.filter(({ type }) => type !== 'datasource')),
    'template-service': withVariables((all) => all.filter(({ name }) => name !== 'service')),
    'template-reload': withVariables((all) => all.map((each) => ({ ...each, refresh: 1 }))),
    'panel-datasource': withPanel({ datasource: 'prometheus' }),
    'panel-ids': withPanel({ id: 6 }),
    'panel-titles': withPanel({ title: 'Breaker state' }),
    'panel-description': withPanel({ description: 'Calls.' }),
    'panel-alerts': withPanel({ description: 'Calls. Worry always. Alert: CallsAreMany.' }),
    'panel-units': withPanel({ unit: undefined }),
    'panel-targets': withPanel({ targets: [] }),
    'panel-overlap': withPanel({ gridPos: { x: 0, y: 0, w: 24, h: 9 } }),
    'target-refs': withPanel({
      targets: [0, 1].map(() => ({
        ...target,
        expr: 'sum(keelson_breaker_state{service_name=~"$service"})',
      })),
    }),
    'target-rate-interval': withExpr('sum(rate(keelson_calls_total{service_name=~"$service"}[5m]))'),
    'target-counter-agg': withExpr('sum(keelson_calls_total{service_name=~"$service"})'),
    'target-service': withExpr('sum(keelson_breaker_state)'),
    'target-known-names': withExpr('sum by (breaker) (keelson_breaker_state{service_name=~"$service"})'),
    'annotation-names': {
      ...dashboard,
      annotations: [...dashboard.annotations, { name: 'new', expr: 'keelson_breaker_status' }],
    },
    'annotation-alerts': { ...dashboard, annotations: dashboard.annotations.slice(1) },
  };

  test('has a planted violation for every rule', () => {
    expect(Object.keys(planted).toSorted()).toEqual(Object.keys(RULES).toSorted());
  });

  test.each(Object.entries(planted))('reports %s and nothing else', (rule, broken) => {
    expect([...new Set(lint(broken, context).map((finding) => finding.rule))]).toEqual([rule]);
  });
});
