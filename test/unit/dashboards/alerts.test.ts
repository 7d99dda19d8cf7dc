import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Alert } from '../../../dashboards/src/alert.ts';
import { dashboards, ruleFiles } from '../../../dashboards/src/outputs.ts';
import { runbookUrl } from '../../../dashboards/src/rule-file.ts';
import { readSettings } from '../../../dashboards/src/settings/settings.ts';
import { BURNS, burnRate } from '../../../dashboards/src/slo.ts';
import { CATALOG } from '../../../src/cli/catalog.ts';
import { knownSeries } from './known-series.ts';
import { metricsIn, unknownNames } from './promql.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SECTIONS = ['## Meaning', '## Impact', '## Diagnosis', '## Mitigation'];
/** Every command line that the program `keelson` knows. */
const COMMANDS = CATALOG.flatMap((each) =>
  'commands' in each
    ? each.commands.map(({ name }) => `keelson ${each.name} ${name}`)
    : [`keelson ${each.name}`],
);
const settings = readSettings();
const known = knownSeries();
const recordings = new Map(
  ruleFiles(settings).flatMap((file) =>
    file.groups.flatMap((group) => group.recordings.map(({ record, expr }) => [record, expr] as const)),
  ),
);
const alerts = ruleFiles(settings).flatMap((file) => file.groups.flatMap((group) => group.alerts));
const byName = Map.groupBy(alerts, ({ name }) => name);
const page = (alert: Pick<Alert, 'name'>): string => join(ROOT, runbookUrl(alert, settings.addresses));

interface Threshold {
  readonly value: number | null;
}
interface PanelJson {
  readonly id?: number;
  readonly fieldConfig?: {
    readonly defaults: { readonly thresholds?: { readonly steps: readonly Threshold[] } };
  };
}

/** Panels as the committed files have them. */
const panels = new Map(
  dashboards(settings).flatMap(({ uid }) => {
    const file = join(ROOT, 'dashboards/grafana', `${uid}.json`);
    const { panels: all } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly panels: readonly PanelJson[];
    };
    return all.map((panel) => [`${uid}/${panel.id}`, panel] as const);
  }),
);

/** What is wrong with an alert; the rules of one name are tested together. */
function problems(
  alert: Alert,
  cases: readonly Alert['cases'][number][] = (byName.get(alert.name) ?? []).flatMap((each) => each.cases),
  exists: (path: string) => boolean = existsSync,
): readonly string[] {
  const kinds = new Set(cases.map(({ kind }) => kind));
  const wanted = alert.expr === 'vector(1)' ? ['firing', 'no data'] : ['firing', 'not firing', 'no data'];
  const panel = panels.get(`${alert.panel.uid}/${alert.panel.panel}`);
  const steps = (panel?.fieldConfig?.defaults.thresholds?.steps ?? []).map(({ value }) => value);
  return [
    ...(/^([A-Z][a-z]+)+$/.test(alert.name) ? [] : ['name']),
    ...(exists(page(alert)) ? [] : ['runbook']),
    ...(panel === undefined ? ['panel'] : []),
    ...(panel === undefined || alert.threshold === undefined || steps.includes(alert.threshold)
      ? []
      : ['threshold of the panel']),
    ...unknownNames(alert.expr, known),
    ...wanted.filter((kind) => !kinds.has(kind as Alert['cases'][number]['kind'])),
    ...(alert.summary.includes('$value') ? ['value in the summary'] : []),
    ...(JSON.stringify(alert.labels ?? {}).includes('$value') ? ['value in a label'] : []),
  ];
}

/** What an expression reads in the end, behind recorded series. */
function readsInTheEnd(expr: string): readonly string[] {
  return metricsIn(expr).flatMap((name) => {
    const behind = recordings.get(name);
    return behind === undefined ? [name] : readsInTheEnd(behind);
  });
}

/** What is wrong with a page. */
function pageProblems(text: string, { name, severity, expr }: Alert): readonly string[] {
  const severities = (byName.get(name) ?? []).map((each) => each.severity);
  const stated = /^Severity: ([a-z]+(?: or [a-z]+)*)\./m.exec(text)?.[1]?.split(' or ') ?? [];
  const queries = [...text.matchAll(/```promql\n([\s\S]*?)```/g)].map(([, query = '']) => query.trim());
  const read = new Set(queries.flatMap(readsInTheEnd));
  return [
    ...(text.startsWith(`# ${name}\n`) ? [] : ['title']),
    ...(stated.includes(severity) && stated.every((each) => severities.some((one) => one === each))
      ? []
      : ['severity']),
    ...SECTIONS.filter((section) => !text.includes(`\n${section}\n`)),
    ...(expr === 'vector(1)' || readsInTheEnd(expr).some((metric) => read.has(metric))
      ? []
      : ['no query of its own']),
    ...queries.flatMap((query) => unknownNames(query, known)),
    ...[...text.matchAll(/`(keelson [a-z][a-z ]*[a-z])/g)]
      .map(([, command = '']) => command)
      .filter((command) => !COMMANDS.some((each) => command === each || command.startsWith(`${each} `))),
  ];
}

describe.each([...byName.values()].map(([alert]) => [alert?.name ?? '', alert as Alert] as const))(
  '%s',
  (_, alert) => {
    test('has a page, a panel that draws its line, names that exist, and tests for firing, not firing and no data', () => {
      expect((byName.get(alert.name) ?? []).flatMap((each) => problems(each))).toEqual([]);
    });

    test('has a runbook with every section, its severity, and queries that exist', () => {
      expect(pageProblems(readFileSync(page(alert), 'utf8'), alert)).toEqual([]);
    });
  },
);

describe('every threshold of the settings', () => {
  test('belongs to an alert, and every alert but the watchdog has one', () => {
    expect(Object.keys(settings.thresholds).toSorted()).toEqual(
      [...byName.keys()].filter((name) => name !== 'Watchdog').toSorted(),
    );
  });
});

describe('the burn rates', () => {
  test('are those of the SRE workbook for thirty days', () => {
    expect(BURNS.map(burnRate)).toEqual([14.4, 6, 3, 1]);
  });
});

describe('the check', () => {
  const [alert] = alerts as [Alert];
  const { cases } = alert;
  test.each([
    ['name', { name: 'breaker_open' }],
    ['panel', { panel: { uid: 'keelson-guards', panel: 999 } }],
    ['threshold of the panel', { threshold: 0.123 }],
    ['keelson_breaker_status', { expr: 'keelson_breaker_status == 1' }],
    ['breaker', { expr: 'keelson_breaker_state{breaker="x"} == 1' }],
    ['value in the summary', { summary: 'now {{ $value }}' }],
    ['value in a label', { labels: { state: '{{ $value }}' } }],
  ])('reports a planted problem: %s', (problem, change) => {
    expect(problems({ ...alert, ...change }, cases, () => true)).toEqual([problem]);
  });

  test('reports a missing page, and a kind of test that is missing', () => {
    expect(problems(alert, cases, () => false)).toEqual(['runbook']);
    const without = cases.filter(({ kind }) => kind !== 'no data');
    expect(problems(alert, without)).toEqual(['no data']);
  });

  const text = readFileSync(page(alert), 'utf8');
  test.each([
    ['title', `# Other\n${text}`],
    ['severity', text.replace('Severity: critical', 'Severity: warning')],
    ['## Impact', text.replace('## Impact', '## Effect')],
    ['keelson_breaker_status', text.replace('(keelson_breaker_state{', '(keelson_breaker_status{')],
    ['keelson telemetry state', `${text}\nRun \`keelson telemetry state\`.`],
    ['no query of its own', text.replaceAll('keelson_breaker_state{', 'keelson_attempts_total{')],
  ])('reports a page with a planted problem: %s', (problem, planted) => {
    expect(pageProblems(planted, alert)).toContain(problem);
  });
});
