import { metricsIn, readingOf, unknownNames } from './promql.ts';

/** A dashboard, as far as the rules look into it. */
export interface LintedDashboard {
  readonly uid?: string | undefined;
  readonly title?: string | undefined;
  readonly editable?: boolean | undefined;
  readonly schemaVersion: number;
  readonly panels: readonly LintedPanel[];
  readonly variables: readonly LintedVariable[];
  readonly annotations: readonly { readonly name: string; readonly expr?: string | undefined }[];
}

/** A variable of a dashboard. */
export interface LintedVariable {
  readonly name: string;
  readonly type: string;
  readonly label?: string | undefined;
  readonly query?: unknown;
  readonly refresh?: number | undefined;
}

/** A panel of a dashboard. */
export interface LintedPanel {
  readonly id?: number | undefined;
  readonly type: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly unit?: string | undefined;
  readonly datasource?: string | undefined;
  readonly gridPos?:
    | { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
    | undefined;
  readonly targets: readonly {
    readonly refId?: string | undefined;
    readonly expr: string;
    readonly datasource?: string | undefined;
  }[];
}

/** What a rule found: the panel or variable, and what is wrong with it. */
export interface Finding {
  readonly rule: string;
  readonly where: string;
}

/** What the rules hold a dashboard against. */
export interface LintContext {
  /** Series that exist, with their labels. */
  readonly series: ReadonlyMap<string, ReadonlySet<string>>;
  /** Alerts that exist. */
  readonly alerts: ReadonlySet<string>;
}

type Rule = (dashboard: LintedDashboard, context: LintContext) => readonly string[];

const DATASOURCE = '${datasource}';
const MAX_PANELS = 20;
const real = (dashboard: LintedDashboard): readonly LintedPanel[] =>
  dashboard.panels.filter((panel) => panel.type !== 'row');
const title = (panel: LintedPanel): string => panel.title ?? `panel ${panel.id}`;
const duplicates = <T>(values: readonly T[]): readonly T[] =>
  values.filter((value, index) => values.indexOf(value) !== index);

/** Counters outside of `rate`, `irate` and `increase`. Recorded series hold rates already. */
function bareCounters(expr: string): readonly string[] {
  const { rated } = readingOf(expr);
  return metricsIn(expr).filter(
    (name) => /_(total|bucket|sum|seconds_count|milliseconds_count)$/.test(name) && !rated.has(name),
  );
}

const ofServices = (expr: string, known: LintContext['series']): boolean =>
  metricsIn(expr).some((name) => known.get(name)?.has('service_name') === true);

function overlap(a: LintedPanel, b: LintedPanel): boolean {
  const [p, q] = [a.gridPos, b.gridPos];
  if (p === undefined || q === undefined) return false;
  return p.x < q.x + q.w && q.x < p.x + p.w && p.y < q.y + q.h && q.y < p.y + p.h;
}

/** The rules by name, after Grafana's dashboard-linter where it has one of the kind. */
export const RULES: Readonly<Record<string, Rule>> = {
  'stable-uid': ({ uid, title }) => (/^keelson-[a-z-]+$/.test(uid ?? '') ? [] : [title ?? 'dashboard']),
  'classic-schema': ({ schemaVersion }) => (schemaVersion === 42 ? [] : [`schemaVersion ${schemaVersion}`]),
  'uneditable-dashboard': ({ editable, title }) => (editable === false ? [] : [title ?? 'dashboard']),
  'few-panels': (dashboard) =>
    real(dashboard).length <= MAX_PANELS ? [] : [`${real(dashboard).length} panels`],
  'template-datasource': ({ variables }) => {
    const found = variables.filter(({ type }) => type === 'datasource');
    const [only] = found;
    return found.length === 1 && only?.name === 'datasource' && only.label === 'Data source'
      ? []
      : [`${found.length} data source variables`];
  },
  'template-service': ({ variables }) =>
    variables.some(({ name }) => name === 'service') ? [] : ['variable service'],
  'template-reload': ({ variables }) =>
    variables.filter(({ type, refresh }) => type === 'query' && refresh !== 2).map(({ name }) => name),
  'panel-datasource': (dashboard) =>
    real(dashboard)
      .filter(
        (panel) =>
          panel.datasource !== DATASOURCE ||
          panel.targets.some(({ datasource }) => datasource !== DATASOURCE),
      )
      .map(title),
  'panel-ids': ({ panels }) => [
    ...panels.filter(({ id }) => !id).map(title),
    ...duplicates(panels.map(({ id }) => id)).map((id) => `id ${id} twice`),
  ],
  'panel-titles': (dashboard) => [
    ...real(dashboard)
      .filter((panel) => !panel.title)
      .map(title),
    ...duplicates(real(dashboard).map(title)),
  ],
  'panel-description': (dashboard) =>
    real(dashboard)
      .filter(({ description = '' }) => !/Worry /.test(description) || !/Alerts?: /.test(description))
      .map(title),
  'panel-alerts': (dashboard, { alerts }) =>
    real(dashboard)
      .filter((panel) => {
        const named = /Alerts?: (.*)$/.exec(panel.description ?? '')?.[1] ?? '';
        return (named.match(/\b[A-Z][a-z]+[A-Z]\w+\b/g) ?? []).some((name) => !alerts.has(name));
      })
      .map(title),
  'panel-units': (dashboard) =>
    real(dashboard)
      .filter(({ unit }) => !unit)
      .map(title),
  'panel-targets': (dashboard) =>
    real(dashboard)
      .filter(({ targets }) => targets.length === 0)
      .map(title),
  'panel-overlap': ({ panels }) =>
    panels.flatMap((a, index) =>
      panels
        .slice(index + 1)
        .filter((b) => overlap(a, b))
        .map((b) => `${title(a)} and ${title(b)}`),
    ),
  'target-refs': (dashboard) =>
    real(dashboard)
      .filter(
        ({ targets }) =>
          targets.some(({ refId }) => !refId) || duplicates(targets.map(({ refId }) => refId)).length > 0,
      )
      .map(title),
  'target-rate-interval': (dashboard) =>
    real(dashboard)
      .filter(({ targets }) =>
        targets.some(({ expr }) =>
          /\b(?:rate|irate|increase)\([^[\]]*\[(?!\$__rate_interval\])[^\]]+\]/.test(expr),
        ),
      )
      .map(title),
  'target-counter-agg': (dashboard) =>
    real(dashboard)
      .filter(({ targets }) => targets.some(({ expr }) => bareCounters(expr).length > 0))
      .map(title),
  'target-service': (dashboard, { series }) =>
    real(dashboard)
      .filter(({ targets }) =>
        targets.some(({ expr }) => ofServices(expr, series) && !expr.includes('service_name=~"$service')),
      )
      .map(title),
  'target-known-names': (dashboard, { series }) =>
    real(dashboard)
      .filter(({ targets }) =>
        targets.some(({ expr }) => metricsIn(expr).length === 0 || unknownNames(expr, series).length > 0),
      )
      .map(title),
  'annotation-names': ({ annotations }, { series }) =>
    annotations
      .filter(({ expr = '' }) => metricsIn(expr).length === 0 || unknownNames(expr, series).length > 0)
      .map(({ name }) => name),
  'annotation-alerts': ({ annotations }) =>
    annotations.some(({ expr = '' }) => expr.startsWith('ALERTS{alertstate="firing"'))
      ? []
      : ['firing alerts'],
};

/** @returns everything that is wrong with a dashboard */
export function lint(dashboard: LintedDashboard, context: LintContext): readonly Finding[] {
  return Object.entries(RULES).flatMap(([rule, check]) =>
    check(dashboard, context).map((where) => ({ rule, where })),
  );
}
