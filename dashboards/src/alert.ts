/** How loudly an alert speaks; Alertmanager routes by it. */
export type Severity = 'critical' | 'warning' | 'none';

/** One situation that an alert is tested in, as promtool plays it. Offsets are multiples of 15 s. */
export interface AlertCase {
  readonly kind: 'firing' | 'not firing' | 'no data';
  readonly title: string;
  /** Series and their values in promtool's notation, 15 s apart. */
  readonly series: Readonly<Record<string, string>>;
  /** When to look, from the start. */
  readonly at: string;
  /** What fires then; empty for nothing. */
  readonly alerts: readonly ExpectedAlert[];
}

/** An alert as it reaches Alertmanager. */
export interface ExpectedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly description: string;
}

/** One alerting rule with its tests. The runbook is the page of the same name in `dashboards/runbooks`. */
export interface Alert {
  readonly name: string;
  readonly severity: Severity;
  readonly expr: string;
  readonly for?: string;
  readonly keepFiringFor?: string;
  /** One line, no value. */
  readonly summary: string;
  readonly description: string;
  /** The panel of the guards dashboard that shows what the alert looks at. */
  readonly panel: number;
  /** Variables of the dashboard that the alert's labels set. */
  readonly variables: Readonly<Record<string, string>>;
  readonly cases: readonly AlertCase[];
}
