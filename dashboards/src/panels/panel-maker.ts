import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  FieldColorBuilder,
  FieldColorModeId,
  RowBuilder,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Alert, Severity } from '../alert.ts';
import { LABEL } from '../queries.ts';

/** The one data source variable; every panel uses it. */
export const DATASOURCE: common.DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

/** Any panel, of whatever kind. */
export type AnyPanel = TimeseriesBuilder | StatBuilder | StateTimelineBuilder | TableBuilder;

/** One query of a panel. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
  readonly exemplar?: boolean;
}

/** What every panel says. Widths are of 24. */
export interface PanelOptions {
  readonly id: number;
  readonly title: string;
  /** What it shows, and when to worry. The alerts that look at the same are added. */
  readonly description: string;
  readonly unit: string;
  readonly width: number;
  readonly height?: number;
  readonly queries: readonly Query[];
  /** Alerts about the same trouble that look at another panel. */
  readonly related?: readonly string[];
  readonly noValue?: string;
  /** The end of the axis. */
  readonly max?: number;
  /** Where a click leads beside Jaeger. */
  readonly links?: readonly DashboardLinkBuilder[];
  /** Whether the series belong to services that Jaeger knows. */
  readonly traces?: boolean;
}

const HEIGHT = 8;
const COLORS: Readonly<Record<Severity, string>> = {
  critical: 'red',
  warning: 'orange',
  info: 'blue',
  none: 'green',
};

function target(query: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(DATASOURCE)
    .refId(String.fromCodePoint(65 + index))
    .expr(query.expr)
    .legendFormat(query.legend)
    .exemplar(query.exemplar ?? false);
}

/** Opens Jaeger's search for the service of the series, over the time on screen. */
function jaegerLink(): DashboardLinkBuilder {
  return link(
    'Traces in Jaeger',
    `\${jaeger_url}/search?service=\${__field.labels.${LABEL.service}}&start=\${__from}000&end=\${__to}000`,
  );
}

/** @returns a link that opens in a new tab */
export function link(title: string, url: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).type(DashboardLinkType.Link).targetBlank(true).url(url);
}

function legend(): Builder<common.VizLegendOptions> {
  return new common.VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(common.LegendDisplayMode.List)
    .placement(common.LegendPlacement.Bottom);
}

function tooltip(): Builder<common.VizTooltipOptions> {
  return new common.VizTooltipOptionsBuilder()
    .mode(common.TooltipDisplayMode.Multi)
    .sort(common.SortOrder.Descending);
}

/** @returns absolute thresholds, from their steps */
export function steps(...list: readonly Threshold[]): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...list]);
}

/** @returns a heading that groups the panels after it */
export function row(id: number, title: string): RowBuilder {
  return new RowBuilder(title).id(id);
}

/**
 * Makes the panels of one dashboard. The lines of their thresholds, and the alerts that their descriptions name, are those of the alerts
 * that look at them: they cannot differ.
 */
export class PanelMaker {
  readonly #uid: string;
  readonly #alerts: readonly Alert[];

  constructor(uid: string, alerts: readonly Alert[]) {
    this.#uid = uid;
    this.#alerts = alerts;
  }

  /** @returns lines over time */
  lines(options: PanelOptions): TimeseriesBuilder {
    const panel = this.#with(new TimeseriesBuilder(), options)
      .min(0)
      .fillOpacity(8)
      .showPoints(common.VisibilityMode.Never)
      .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
      .legend(legend())
      .tooltip(tooltip())
      .dataLinks([...(options.traces === false ? [] : [jaegerLink()]), ...(options.links ?? [])]);
    if (options.max !== undefined) panel.max(options.max);
    const thresholds = this.#thresholds(options.id);
    if (thresholds.length > 1) {
      panel
        .thresholds(steps(...thresholds))
        .thresholdsStyle(
          new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
        );
    }
    for (const [index, query] of options.queries.entries()) panel.withTarget(target(query, index).range());
    return panel;
  }

  /** @returns one figure; it turns red from `badFrom` on */
  figure(options: PanelOptions & { readonly badFrom?: number }): StatBuilder {
    const panel = this.#with(new StatBuilder(), options)
      .graphMode(common.BigValueGraphMode.None)
      .colorMode(common.BigValueColorMode.Background)
      .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']));
    const bad = options.badFrom === undefined ? [] : [{ value: options.badFrom, color: 'red' }];
    panel.thresholds(steps({ value: null, color: 'green' }, ...bad));
    for (const [index, query] of options.queries.entries()) panel.withTarget(target(query, index).range());
    return panel;
  }

  /** @returns bands that show which state something was in */
  states(options: PanelOptions): StateTimelineBuilder {
    const panel = this.#with(new StateTimelineBuilder(), options)
      .mergeValues(true)
      .rowHeight(0.8)
      .showValue(common.VisibilityMode.Auto)
      .legend(legend())
      .dataLinks([jaegerLink(), ...(options.links ?? [])]);
    for (const [index, query] of options.queries.entries()) panel.withTarget(target(query, index).range());
    return panel;
  }

  /** @returns rows as they are now; `columns` are the labels and values to show, with their headings */
  table(options: PanelOptions & { readonly columns: Readonly<Record<string, string>> }): TableBuilder {
    const panel = this.#with(new TableBuilder(), options)
      .showHeader(true)
      .withTransformation({ id: 'merge', options: {} })
      .withTransformation({
        id: 'filterFieldsByName',
        options: { include: { names: Object.keys(options.columns) } },
      })
      .withTransformation({ id: 'organize', options: { renameByName: { ...options.columns } } })
      .dataLinks([...(options.links ?? [])]);
    for (const [index, query] of options.queries.entries()) {
      panel.withTarget(target(query, index).instant().format(PromQueryFormat.Table));
    }
    return panel;
  }

  #with<P extends AnyPanel>(panel: P, options: PanelOptions): P {
    panel
      .id(options.id)
      .title(options.title)
      .description(`${options.description} ${this.#named(options)}`)
      .datasource(DATASOURCE)
      .height(options.height ?? HEIGHT)
      .span(options.width)
      .unit(options.unit);
    if (options.noValue !== undefined) panel.noValue(options.noValue);
    return panel;
  }

  #lookingAt(id: number): readonly Alert[] {
    return this.#alerts.filter(({ panel }) => panel.uid === this.#uid && panel.panel === id);
  }

  #named({ id, related = [] }: PanelOptions): string {
    const names = [...new Set([...this.#lookingAt(id).map(({ name }) => name), ...related])];
    if (names.length === 0) return 'Alert: none.';
    return `Alert${names.length === 1 ? '' : 's'}: ${names.join(', ')}.`;
  }

  #thresholds(id: number): readonly Threshold[] {
    const bySeverity = this.#lookingAt(id).flatMap(({ threshold, severity }) =>
      threshold === undefined ? [] : [{ value: threshold, color: COLORS[severity] }],
    );
    const distinct = new Map(
      bySeverity
        .toSorted((a, b) => Number(a.color === 'red') - Number(b.color === 'red'))
        .map((step) => [step.value, step]),
    );
    return [{ value: null, color: 'green' }, ...[...distinct.values()].toSorted((a, b) => a.value - b.value)];
  }
}
