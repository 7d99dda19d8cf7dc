import { guardsDashboard } from '../../../dashboards/src/guards-dashboard.ts';

/** One query of the shipped dashboard, with Grafana's variables filled in as for "all" over the last minutes. */
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
};

function filledIn(expr: string): string {
  return Object.entries(VARIABLES).reduce((text, [name, value]) => text.replaceAll(name, value), expr);
}

/** @returns every query of the guards dashboard: panels, annotations, and what the variables ask for */
export function dashboardQueries(): readonly DashboardQuery[] {
  const dashboard = guardsDashboard();
  const panels = (dashboard.panels ?? []).flatMap((panel) =>
    ('targets' in panel ? ((panel.targets ?? []) as readonly Target[]) : []).map((target) => ({
      where: `${panel.title} ${target.refId}`,
      expr: filledIn(target.expr ?? ''),
    })),
  );
  const annotations = (dashboard.annotations?.list ?? []).map((annotation) => ({
    where: `annotation ${annotation.name}`,
    expr: filledIn(annotation.expr ?? ''),
  }));
  const variables = (dashboard.templating?.list ?? []).flatMap((variable) => {
    const asked = /^label_values\((.+), \w+\)$/.exec(
      typeof variable.query === 'string' ? variable.query : '',
    )?.[1];
    return asked === undefined ? [] : [{ where: `variable ${variable.name}`, expr: filledIn(asked) }];
  });
  return [...panels, ...annotations, ...variables];
}
