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

/** Queries that stay at 0 in the demo, and why: its faults are those of services, not of the stack. The other stack test makes these too. */
export const NOT_IN_DEMO: Readonly<Record<string, string>> = {
  'keelson-guards: Abandoned functions A': 'its functions heed their signal',
  'keelson-guards: Failures of shared stores A': 'it has no shared rate limit',
  'keelson-guards: Failures of shared stores B': 'its cache has one tier',
  'keelson-guards: Failures of shared stores C': 'it has no shared rate limit',
  'keelson-telemetry: Lost on the way out A': 'no backend refuses',
  'keelson-telemetry: Notifications that failed A': 'the webhook takes everything',
  'keelson-telemetry: Samples refused as too late A': 'nothing comes late',
};

/** Queries that stay at 0 in every stack test, and why; that they are right is all that is checked. */
export const NEVER_HERE: Readonly<Record<string, string>> = {
  'keelson-host: Container: memory of its limit A':
    'depends on the machine: no container, or one without a limit',
  'keelson-host: Container: periods stopped by the quota A': 'depends on the machine: no quota',
  'keelson-host: Time spent collecting garbage A': 'depends on when the collector runs',
  'keelson-telemetry: Telemetry lost A': 'a loss needs a full disk or journal',
  'keelson-telemetry: Refused A': 'needs a Collector without memory',
  'keelson-telemetry: Lost on the way out B': 'needs a full queue on disk',
  'keelson-telemetry: Samples refused as too late B': 'needs a clock that is hours ahead',
  'keelson-telemetry: Rules that failed A': 'a rule that fails is a defect: another test finds none',
  'keelson-telemetry: Telemetry that waits A':
    'what waits is gone before the next export; the outage test sees it',
  'keelson-telemetry: Telemetry that waits B': 'as above',
  'keelson-telemetry: How long the oldest has waited A': 'as above',
  'keelson-telemetry: Backlog delivered, requests repeated A': 'as above',
  'keelson-telemetry: Backlog delivered, requests repeated B': 'as above',
};
