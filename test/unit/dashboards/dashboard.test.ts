import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ALERT_GROUPS } from '../../../dashboards/src/outputs.ts';
import { prometheusSeries } from '../../../dashboards/src/prometheus-name.ts';
import * as semconv from '../../../src/signals/semconv.ts';
import { lint, type LintContext, type LintedDashboard, type LintedPanel, RULES } from './dashboard-rules.ts';

interface Json {
  readonly [key: string]: unknown;
}

const list = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
const uidOf = (value: unknown): string | undefined => (value as { readonly uid?: string } | undefined)?.uid;

/** Reads the committed file the way Grafana does: as JSON, and nothing else. */
function read(): LintedDashboard {
  const path = join(import.meta.dirname, '../../../dashboards/grafana/keelson-guards.json');
  const json = JSON.parse(readFileSync(path, 'utf8')) as Json;
  return {
    ...(json as unknown as LintedDashboard),
    variables: list((json['templating'] as Json)['list']) as unknown as LintedDashboard['variables'],
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

const metrics = [
  ...semconv.GUARD_METRICS,
  semconv.METRIC_TELEMETRY_EXPORTED,
  semconv.METRIC_TELEMETRY_DROPPED,
];
const context: LintContext = {
  series: new Set([...metrics.flatMap(prometheusSeries), 'target_info', 'ALERTS']),
  alerts: new Set(ALERT_GROUPS.flatMap(({ alerts }) => alerts.map(({ name }) => name))),
};
const dashboard = read();

/** The dashboard with one thing about its first real panel changed. */
function withPanel(change: Partial<LintedPanel>): LintedDashboard {
  const first = dashboard.panels.findIndex(({ type }) => type !== 'row');
  return {
    ...dashboard,
    panels: dashboard.panels.map((panel, index) => (index === first ? { ...panel, ...change } : panel)),
  };
}

const target = { refId: 'A', datasource: '${datasource}', expr: 'x{service_name=~"$service"}' };
const withExpr = (expr: string): LintedDashboard => withPanel({ targets: [{ ...target, expr }] });
const withVariables = (
  change: (variables: LintedDashboard['variables']) => LintedDashboard['variables'],
) => ({
  ...dashboard,
  variables: change(dashboard.variables),
});

describe('the guards dashboard', () => {
  test('keeps every rule', () => {
    expect(lint(dashboard, context)).toEqual([]);
  });

  test('shows every metric of the guards', () => {
    const shown = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join('\n');
    const missing = metrics.filter(
      (metric) => !prometheusSeries(metric).some((series) => shown.includes(series)),
    );
    expect(missing).toEqual([]);
  });

  test('links its exemplars and its series to Jaeger', () => {
    const text = JSON.stringify(dashboard.panels);
    expect(text).toContain('"exemplar":true');
    expect(text).toContain('${jaeger_url}/search?service=${__field.labels.service_name}');
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
    'target-known-metrics': withExpr('sum(keelson_breaker_status{service_name=~"$service"})'),
  };

  test('has a planted violation for every rule', () => {
    expect(Object.keys(planted).toSorted()).toEqual(Object.keys(RULES).toSorted());
  });

  test.each(Object.entries(planted))('reports %s and nothing else', (rule, broken) => {
    expect([...new Set(lint(broken, context).map((finding) => finding.rule))]).toEqual([rule]);
  });
});
