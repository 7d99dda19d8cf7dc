import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  type RowBuilder,
  TextBoxVariableBuilder,
  VariableHide,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { GUARD, RATE, SCOPE } from '../guard-queries.ts';
import { LABEL, selector, SERIES } from '../queries.ts';
import type { Settings } from '../settings/settings.ts';
import { type AnyPanel, DATASOURCE } from './panel-maker.ts';

/** A heading and the panels below it. */
export interface Section {
  readonly head: RowBuilder;
  readonly panels: readonly AnyPanel[];
}

/** A variable that offers the values of a label. */
export interface LabelVariable {
  readonly name: string;
  readonly label: string;
  /** Series whose label is offered. */
  readonly series: string;
  readonly of: string;
}

/** What one dashboard is made of. */
export interface DashboardOptions {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly LabelVariable[];
  /** Whether changes of breakers are marked on the time axis. */
  readonly transitions: boolean;
  readonly sections: readonly Section[];
}

/** The services that have spoken; what every dashboard chooses from. */
export const SERVICE_VARIABLE: LabelVariable = {
  name: 'service',
  label: 'Service',
  series: `${SERIES.targetInfo}${selector('telemetry_sdk_name!=""')}`,
  of: LABEL.service,
};

function variable({ name, label, series, of }: LabelVariable): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(`label_values(${series}, ${of})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ selected: true, text: 'All', value: '$__all' });
}

/** Alerts of the chosen services, and those about no service, such as the Collector's. */
function firingAlerts(): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name('Firing alerts')
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor('red')
    .expr(`ALERTS{alertstate="firing",severity=~"critical|warning",${LABEL.service}=~"$service|"}`)
    .titleFormat('{{alertname}}')
    .step('60s');
}

function breakerTransitions(withGuard: boolean): AnnotationQueryBuilder {
  const scope = withGuard ? SCOPE : SCOPE.slice(0, 1);
  return new AnnotationQueryBuilder()
    .name('Breaker transitions')
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor('orange')
    .expr(
      `sum by (${[...GUARD, LABEL.to].join(', ')}) (increase(${SERIES.breakerTransitions}${selector(...scope)}[${RATE}])) > 0`,
    )
    .titleFormat(`{{${LABEL.guard}}} is {{${LABEL.to}}}`)
    .step('60s');
}

/** @returns a dashboard in Grafana's classic form (the one that file provisioning takes) */
export function dashboard(options: DashboardOptions, { addresses }: Settings): Dashboard {
  const builder = new DashboardBuilder(options.title)
    .uid(options.uid)
    .description(options.description)
    .tags(['keelson', 'generated'])
    .readonly()
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder('Keelson')
        .type(DashboardLinkType.Dashboards)
        .tags(['keelson'])
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'));
  for (const each of options.variables) builder.withVariable(variable(each));
  builder
    .withVariable(
      new TextBoxVariableBuilder('jaeger_url')
        .label('Jaeger')
        .defaultValue(addresses.jaeger)
        .hide(VariableHide.HideVariable),
    )
    .annotation(firingAlerts());
  if (options.transitions) {
    builder.annotation(breakerTransitions(options.variables.some(({ name }) => name === 'guard')));
  }
  for (const { head, panels } of options.sections) {
    builder.withRow(head);
    for (const panel of panels) builder.withPanel(panel);
  }
  return inSight(builder.build());
}

/** The SDK puts annotations and links into a menu that nobody opens; without a place they stand above the panels. */
function inSight(built: Dashboard): Dashboard {
  for (const each of [...(built.links ?? []), ...(built.annotations?.list ?? [])]) delete each.placement;
  return built;
}
