import { dashboards } from '../../../dashboards/src/outputs.ts';
import { readSettings } from '../../../dashboards/src/settings/settings.ts';

/** One query of a shipped dashboard, with Grafana's variables filled in as for "all" over the last minutes. */
export interface DashboardQuery {
  readonly where: string;
  readonly expr: string;
}

interface Target {
  readonly refId?: string;
  readonly expr?: string;
}

const VARIABLES: Readonly<Record<string, string>> = {
  $__rate_interval: '1m',
  $__interval: '15s',
  $service: '.+',
  $guard: '.+',
  $host: '.+',
};

function filledIn(expr: string): string {
  return Object.entries(VARIABLES).reduce((text, [name, value]) => text.replaceAll(name, value), expr);
}

/** Stands in where a query finds nothing; it is no sign that there is anything to show. */
function withoutStandIn(expr: string): string {
  return expr.replace(/ or vector\(0\)$/, '');
}

/** @returns every query of the dashboards: panels, annotations, and what the variables ask for */
export function dashboardQueries(): readonly DashboardQuery[] {
  return dashboards(readSettings()).flatMap((dashboard) => {
    const named = (what: string, expr: string | undefined): DashboardQuery => ({
      where: `${dashboard.uid}: ${what}`,
      expr: withoutStandIn(filledIn(expr ?? '')),
    });
    const panels = (dashboard.panels ?? []).flatMap((panel) =>
      ('targets' in panel ? ((panel.targets ?? []) as readonly Target[]) : []).map((target) =>
        named(`${panel.title} ${target.refId}`, target.expr),
      ),
    );
    const annotations = (dashboard.annotations?.list ?? []).map((annotation) =>
      named(`annotation ${annotation.name}`, annotation.expr),
    );
    const variables = (dashboard.templating?.list ?? []).flatMap((variable) => {
      const asked = /^label_values\((.+), \w+\)$/.exec(
        typeof variable.query === 'string' ? variable.query : '',
      )?.[1];
      return asked === undefined ? [] : [named(`variable ${variable.name}`, asked)];
    });
    return [...panels, ...annotations, ...variables];
  });
}

/** Tests that make trouble of their own kind, and the queries that show something only then. All others show something in `alert-path.test.ts`. */
export const SHOWN_ELSEWHERE = {
  'outage.test.ts': [
    'keelson-telemetry: Telemetry that waits A',
    'keelson-telemetry: Telemetry that waits B',
    'keelson-telemetry: How long the oldest has waited A',
    'keelson-telemetry: Backlog delivered, requests repeated A',
    'keelson-telemetry: Backlog delivered, requests repeated B',
  ],
  'refusals.test.ts': ['keelson-telemetry: Telemetry lost A'],
  'losses.test.ts': [
    'keelson-telemetry: Refused A',
    'keelson-telemetry: Lost on the way out B',
    'keelson-telemetry: Rules that failed A',
    'keelson-telemetry: Metrics refused B',
  ],
  'container.test.ts': [
    'keelson-host: Container: memory of its limit A',
    'keelson-host: Container: periods stopped by the quota A',
  ],
} as const;

/** Queries that show nothing in the demo, and why: its faults are those of services, not of the stack. */
export const NOT_IN_DEMO: Readonly<Record<string, string>> = {
  'keelson-guards: Abandoned functions A': 'its functions heed their signal',
  'keelson-guards: Failures of shared stores A': 'it has no shared rate limit',
  'keelson-guards: Failures of shared stores B': 'its cache has one tier',
  'keelson-guards: Failures of shared stores C': 'it has no shared rate limit',
  'keelson-telemetry: Lost on the way out A': 'no backend refuses',
  'keelson-telemetry: Notifications that failed A': 'the webhook takes everything',
  'keelson-telemetry: Metrics refused A': 'nothing comes late',
};

/** @returns the queries that a test shows by trouble of its own */
export function queriesShownBy(test: keyof typeof SHOWN_ELSEWHERE): readonly DashboardQuery[] {
  const wanted: readonly string[] = SHOWN_ELSEWHERE[test];
  return dashboardQueries().filter(({ where }) => wanted.includes(where));
}

/** @returns the queries that need no test of their own */
export function everydayQueries(): readonly DashboardQuery[] {
  const elsewhere = new Set<string>(Object.values(SHOWN_ELSEWHERE).flat());
  return dashboardQueries().filter(({ where }) => !elsewhere.has(where));
}

/**
 * @param samples how many samples other than 0 a query gave
 * @param excused the queries that may give none
 * @returns what is wrong with that; a query that is excused and shows something is, too
 */
export function complaint(
  where: string,
  samples: number,
  excused: Readonly<Record<string, string>> = {},
): string | undefined {
  const reason = excused[where];
  if (reason === undefined) return samples > 0 ? undefined : `${where} shows nothing`;
  return samples > 0 ? `${where} shows something: "${reason}" is not so` : undefined;
}

/** @returns what is wrong with a list of queries by test: names that do not exist, names that stand there twice */
export function listProblems(
  lists: Readonly<Record<string, readonly string[]>>,
  known: readonly string[],
): readonly string[] {
  const all = Object.values(lists).flat();
  return [
    ...all.filter((where) => !known.includes(where)).map((where) => `${where} is no query`),
    ...all
      .filter((where, index) => all.indexOf(where) !== index)
      .map((where) => `${where} stands there twice`),
  ];
}
