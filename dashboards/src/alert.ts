import type { Timing } from './settings/thresholds.ts';

/** How loudly an alert speaks; Alertmanager routes by it. */
export type Severity = 'critical' | 'warning' | 'info' | 'none';

/** An alert as it fires: its labels, and what stands for `$value` in its texts. */
export interface Fired {
  readonly labels: Readonly<Record<string, string>>;
  readonly value?: string;
}

/** One situation that an alert is tested in, as promtool plays it. */
export interface AlertCase {
  readonly kind: 'firing' | 'not firing' | 'no data';
  readonly title: string;
  /** Series and their values in promtool's notation, as far apart as the rule file's `step` says. */
  readonly series: Readonly<Record<string, string>>;
  /** When to look, from the start. */
  readonly at: string;
  /** What fires then, without the severity; empty for nothing. */
  readonly fires: readonly Fired[];
}

/** A panel of a dashboard, by its stable ids. */
export interface PanelAddress {
  readonly uid: string;
  readonly panel: number;
}

/** One alerting rule with its tests. The runbook is the page of the same name in `dashboards/runbooks`. */
export interface Alert {
  readonly name: string;
  readonly severity: Severity;
  readonly expr: string;
  readonly timing: Timing;
  /** Labels beside the severity. */
  readonly labels?: Readonly<Record<string, string>>;
  /** One line, no value. */
  readonly summary: string;
  readonly description: string;
  /** The panel that shows what the alert looks at. */
  readonly panel: PanelAddress;
  /** The figure that the panel draws as a line, where it does; in the panel's unit. */
  readonly threshold?: number;
  /** Variables of the dashboard that the alert's labels set. */
  readonly variables: Readonly<Record<string, string>>;
  readonly cases: readonly AlertCase[];
}

/** Long after every `for`, but for one of an hour. */
const NO_DATA_AT = '65m';

type Series = Readonly<Record<string, string>>;

/** @returns a situation in which the alert fires */
export function firing(title: string, at: string, series: Series, ...fires: readonly Fired[]): AlertCase {
  return { kind: 'firing', title, at, series, fires };
}

/** @returns a situation in which it must not fire */
export function quiet(title: string, at: string, series: Series): AlertCase {
  return { kind: 'not firing', title, at, series, fires: [] };
}

/** @returns the situation in which nobody has ever sent what the alert looks at */
export function noData(title: string, ...fires: readonly Fired[]): AlertCase {
  return { kind: 'no data', title, at: NO_DATA_AT, series: {}, fires };
}

/** @returns a series as promtool and PromQL write it */
export function named(name: string, labels: Readonly<Record<string, string>>): string {
  const inner = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return `${name}{${inner.join(',')}}`;
}
