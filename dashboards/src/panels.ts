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
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { LABEL } from './queries.ts';

/** The one data source variable; every panel uses it. */
export const DATASOURCE: common.DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

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
  /** What it shows, when to worry, and which alert looks at it. */
  readonly description: string;
  readonly unit: string;
  readonly width: number;
  readonly queries: readonly Query[];
  readonly noValue?: string;
}

const HEIGHT = 8;

function target(query: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(DATASOURCE)
    .refId(String.fromCodePoint(65 + index))
    .expr(query.expr)
    .legendFormat(query.legend)
    .exemplar(query.exemplar ?? false)
    .range();
}

/** Opens Jaeger's search for the service of the series, over the time on screen. */
function jaegerLink(): DashboardLinkBuilder {
  return new DashboardLinkBuilder('Traces in Jaeger')
    .type(DashboardLinkType.Link)
    .targetBlank(true)
    .url(
      `\${jaeger_url}/search?service=\${__field.labels.${LABEL.service}}&start=\${__from}000&end=\${__to}000`,
    );
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

/** @returns lines over time */
export function lines(options: PanelOptions): TimeseriesBuilder {
  const panel = new TimeseriesBuilder()
    .id(options.id)
    .title(options.title)
    .description(options.description)
    .datasource(DATASOURCE)
    .height(HEIGHT)
    .span(options.width)
    .unit(options.unit)
    .min(0)
    .fillOpacity(8)
    .showPoints(common.VisibilityMode.Never)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
    .legend(legend())
    .tooltip(tooltip())
    .dataLinks([jaegerLink()]);
  if (options.noValue !== undefined) panel.noValue(options.noValue);
  for (const [index, query] of options.queries.entries()) panel.withTarget(target(query, index));
  return panel;
}

/** @returns one figure */
export function figure(options: PanelOptions): StatBuilder {
  const panel = new StatBuilder()
    .id(options.id)
    .title(options.title)
    .description(options.description)
    .datasource(DATASOURCE)
    .height(HEIGHT)
    .span(options.width)
    .unit(options.unit)
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(common.BigValueColorMode.Background)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']));
  if (options.noValue !== undefined) panel.noValue(options.noValue);
  for (const [index, query] of options.queries.entries()) panel.withTarget(target(query, index));
  return panel;
}

/** @returns bands that show which state something was in */
export function states(options: PanelOptions): StateTimelineBuilder {
  const panel = new StateTimelineBuilder()
    .id(options.id)
    .title(options.title)
    .description(options.description)
    .datasource(DATASOURCE)
    .height(HEIGHT)
    .span(options.width)
    .unit(options.unit)
    .mergeValues(true)
    .rowHeight(0.8)
    .showValue(common.VisibilityMode.Auto)
    .legend(legend())
    .dataLinks([jaegerLink()]);
  if (options.noValue !== undefined) panel.noValue(options.noValue);
  for (const [index, query] of options.queries.entries()) panel.withTarget(target(query, index));
  return panel;
}
