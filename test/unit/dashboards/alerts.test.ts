import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Alert } from '../../../dashboards/src/alert.ts';
import { guardsDashboard } from '../../../dashboards/src/guards-dashboard.ts';
import { ALERT_GROUPS } from '../../../dashboards/src/outputs.ts';
import { prometheusSeries } from '../../../dashboards/src/prometheus-name.ts';
import { dashboardUrl, runbookUrl } from '../../../dashboards/src/rule-file.ts';
import * as semconv from '../../../src/signals/semconv.ts';
import { metricsIn } from './dashboard-rules.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SECTIONS = ['## Meaning', '## Impact', '## Diagnosis', '## Mitigation'];
const series = new Set([...semconv.GUARD_METRICS.flatMap(prometheusSeries), 'target_info']);
const panels = (guardsDashboard().panels ?? []).map(({ id }) => id);
const alerts = ALERT_GROUPS.flatMap((group) => group.alerts);
const page = (alert: Pick<Alert, 'name'>): string => join(ROOT, runbookUrl(alert));

interface Rule {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const rules = (
  parse(readFileSync(join(ROOT, 'dashboards/prometheus/rules/keelson.yaml'), 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly Rule[] }[];
  }
).groups.flatMap((group) => group.rules);

/** What is wrong with an alert. */
function problems(alert: Alert, exists: (path: string) => boolean = existsSync): readonly string[] {
  const kinds = new Set(alert.cases.map(({ kind }) => kind));
  const wanted = alert.expr === 'vector(1)' ? ['firing', 'no data'] : ['firing', 'not firing', 'no data'];
  return [
    ...(/^([A-Z][a-z]+)+$/.test(alert.name) ? [] : ['name']),
    ...(exists(page(alert)) ? [] : ['runbook']),
    ...(panels.includes(alert.panel) ? [] : ['panel']),
    ...metricsIn(alert.expr).filter((name) => !series.has(name)),
    ...wanted.filter((kind) => !kinds.has(kind as Alert['cases'][number]['kind'])),
    ...(alert.summary.includes('$value') ? ['value in the summary'] : []),
  ];
}

describe.each(alerts.map((alert) => [alert.name, alert] as const))('%s', (name, alert) => {
  test('has a page, a panel, metrics that exist, and tests for firing, not firing and no data', () => {
    expect(problems(alert)).toEqual([]);
  });

  test('has a runbook with every section and its own query in it', () => {
    const text = readFileSync(page(alert), 'utf8');
    expect(text.startsWith(`# ${name}\n`)).toBe(true);
    expect(SECTIONS.filter((section) => !text.includes(`\n${section}\n`))).toEqual([]);
    expect(metricsIn(alert.expr).filter((metric) => !text.includes(metric))).toEqual([]);
  });

  test('tells where to look', () => {
    const rule = rules.find((each) => each.alert === name);
    expect(Object.keys(rule?.annotations ?? {})).toEqual([
      'summary',
      'description',
      'runbook_url',
      'dashboard_url',
    ]);
    expect(rule?.annotations['dashboard_url']).toBe(dashboardUrl(alert));
    expect(['critical', 'warning', 'none']).toContain(rule?.labels['severity']);
  });
});

describe('the check', () => {
  const [alert] = alerts;
  test.each([
    ['name', { name: 'breaker_open' }],
    ['panel', { panel: 999 }],
    ['keelson_breaker_status', { expr: 'keelson_breaker_status == 1' }],
    ['no data', { cases: (alert?.cases ?? []).filter(({ kind }) => kind !== 'no data') }],
    ['value in the summary', { summary: 'now {{ $value }}' }],
  ])('reports a planted problem: %s', (problem, change) => {
    expect(alert && problems({ ...alert, ...change }, () => true)).toEqual([problem]);
  });

  test('reports a missing page', () => {
    expect(alert && problems(alert, () => false)).toEqual(['runbook']);
  });
});
