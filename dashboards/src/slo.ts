import { type Alert, type AlertCase, firing, named, noData, quiet, type Severity } from './alert.ts';
import { OVERVIEW } from './panel-ids.ts';
import { LABEL, SERIES } from './queries.ts';
import { OF_SERVICE, type Recording, type RuleGroup } from './rule-file.ts';
import type { Settings, Slo } from './settings/settings.ts';
import { indicated, TOTAL } from './slo-indicators.ts';

/** Every objective is about thirty days. */
const PERIOD_HOURS = 30 * 24;

/** One pair of windows: the long one says that it matters, the short one that it still goes on. */
export interface Burn {
  readonly long: string;
  readonly longHours: number;
  readonly short: string;
  /** Share of the whole budget that is gone when the alert fires. */
  readonly spent: number;
  readonly severity: Severity;
}

/** The pairs of Google's SRE workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts", with a day between its six hours and three days. */
export const BURNS: readonly Burn[] = [
  { long: '1h', longHours: 1, short: '5m', spent: 0.02, severity: 'critical' },
  { long: '6h', longHours: 6, short: '30m', spent: 0.05, severity: 'critical' },
  { long: '1d', longHours: 24, short: '2h', spent: 0.1, severity: 'warning' },
  { long: '3d', longHours: 72, short: '6h', spent: 0.1, severity: 'warning' },
];

/** @returns how many times faster than allowed errors come when `spent` of the budget goes within the long window */
export function burnRate({ spent, longHours }: Pick<Burn, 'spent' | 'longHours'>): number {
  return Number(((spent * PERIOD_HOURS) / longHours).toFixed(3));
}

/** @returns the series with the share of bad events over a window */
export function errorRatio(window: string): string {
  return `slo:error_ratio:rate${window}`;
}

/** The share that an objective allows to be bad. */
export const BUDGET = 'slo:error_budget:ratio';

const BAD = 'slo:bad:rate5m';
const BAD_HOUR = 'slo:bad:avg1h';
const TOTAL_HOUR = 'slo:total:avg1h';

const ratioOver = (window: string, bad: string, total: string): Recording => ({
  record: errorRatio(window),
  expr: `avg_over_time(${bad}[${window}]) / (avg_over_time(${total}[${window}]) > 0)`,
});

/**
 * Rates of five minutes are counted once; every other window is an average over them, which costs the same however many requests there are.
 * A day and longer are averages over hours, seldom computed.
 */
function recordings(
  slos: Settings['slos'],
): Pick<Record<'soon' | 'late', readonly Recording[]>, 'soon' | 'late'> {
  return {
    soon: [
      ...Object.entries(slos).flatMap(([slo, definition]) => {
        const { bad, total } = indicated(slo, definition);
        return [
          { record: TOTAL, expr: total, labels: { slo } },
          { record: BAD, expr: bad, labels: { slo } },
        ];
      }),
      ...Object.entries(slos).map(([slo, { objective }]) => ({
        record: BUDGET,
        expr: `vector(${Number((1 - objective).toFixed(6))})`,
        labels: { slo },
      })),
      { record: errorRatio('5m'), expr: `${BAD} / (${TOTAL} > 0)` },
      ...['30m', '1h', '2h', '6h'].map((window) => ratioOver(window, BAD, TOTAL)),
    ],
    late: [
      { record: BAD_HOUR, expr: `avg_over_time(${BAD}[1h])` },
      { record: TOTAL_HOUR, expr: `avg_over_time(${TOTAL}[1h])` },
      ...['1d', '3d'].map((window) => ratioOver(window, BAD_HOUR, TOTAL_HOUR)),
    ],
  };
}

function burnAlert(
  name: string,
  slo: Slo,
  burn: Burn,
  { thresholds }: Settings,
  cases: readonly AlertCase[],
): Alert {
  const limit = `${burnRate(burn)} * ${Number((1 - slo.objective).toFixed(6))}`;
  const above = (window: string): string => `${errorRatio(window)}{slo="${name}"} > ${limit}`;
  const days = Math.round((PERIOD_HOURS / 24 / burnRate(burn)) * 10) / 10;
  return {
    name: 'ErrorBudgetBurn',
    severity: burn.severity,
    labels: { slo: name, long_window: burn.long, short_window: burn.short },
    expr: `${above(burn.long)}\nand ${above(burn.short)}\nand ${TOTAL}{slo="${name}"} > ${slo.minimumRate}`,
    timing: thresholds.ErrorBudgetBurn,
    summary: `{{ $labels.${LABEL.service} }} uses up its error budget for ${name}`,
    description: `{{ $value | humanizePercentage }} were bad over ${burn.long}, and it goes on. Errors at the rate of this alert use up the budget of thirty days in ${days} days. The objective is ${Number((slo.objective * 100).toFixed(4))} %.`,
    panel: { uid: OVERVIEW.uid, panel: OVERVIEW.burnRate },
    threshold: burnRate(burn),
    variables: OF_SERVICE,
    cases,
  };
}

const span = (status: string): string =>
  named(SERIES.spanCalls, {
    [LABEL.service]: 'shop',
    span_kind: 'SPAN_KIND_SERVER',
    span_name: 'POST /orders',
    status_code: `STATUS_CODE_${status}`,
  });
const duration = (part: string, le?: string): string =>
  named(`${SERIES.spanDurationCount.replace(/_count$/, '')}_${part}`, {
    [LABEL.service]: 'shop',
    span_kind: 'SPAN_KIND_SERVER',
    span_name: 'POST /orders',
    ...(le !== undefined && { le }),
  });
const burning = (long: string, short: string, value: string, slo = 'requests') => ({
  labels: { [LABEL.service]: 'shop', slo, long_window: long, short_window: short },
  value,
});

/** The situations of the shipped objective `requests`: 99.5 %, so that 7.2 % over an hour page. Values are a minute apart. */
const cases: readonly AlertCase[] = [
  firing(
    'every request fails for ten minutes, after thirty good hours',
    '1810m',
    { [span('UNSET')]: '0+60x1800 108000x60', [span('ERROR')]: '0x1800 0+60x60' },
    burning('1h', '5m', '11.97%'),
  ),
  firing(
    'one request in fifty fails, for seven hours',
    '7h',
    { [span('UNSET')]: '0+98x430', [span('ERROR')]: '0+2x430' },
    burning('1d', '2h', '2%'),
    burning('3d', '6h', '2%'),
  ),
  firing(
    'one request in five takes longer than a second, for seven hours',
    '7h',
    {
      [span('UNSET')]: '0+100x430',
      [duration('count')]: '0+100x430',
      [duration('bucket', '1000')]: '0+80x430',
    },
    ...BURNS.map(({ long, short }) => burning(long, short, '20%', 'request-latency')),
  ),
  quiet('the same ten minutes, but over for as long', '1830m', {
    [span('UNSET')]: '0+60x1800 108000x10 108000+60x100',
    [span('ERROR')]: '0x1800 0+60x10 600x100',
  }),
  quiet('one request in five hundred, as the objective allows', '5h', {
    [span('UNSET')]: '0+499x320',
    [span('ERROR')]: '0+1x320',
  }),
  quiet('hardly any requests', '5h', { [span('ERROR')]: '0+2x320' }),
  quiet('errors of calls to others are not those of requests', '5h', {
    [span('UNSET')]: '0+60x320',
    [named(SERIES.spanCalls, {
      [LABEL.service]: 'shop',
      span_kind: 'SPAN_KIND_CLIENT',
      span_name: 'POST',
      status_code: 'STATUS_CODE_ERROR',
    })]: '0+60x320',
  }),
  noData('no requests'),
];

/** @returns recordings and burn rate alerts of every objective */
export function sloGroups(settings: Settings): readonly RuleGroup[] {
  const { soon, late } = recordings(settings.slos);
  const alerts = (burns: readonly Burn[], tested: boolean): readonly Alert[] =>
    Object.entries(settings.slos).flatMap(([name, slo]) =>
      burns.map((burn) =>
        burnAlert(
          name,
          slo,
          burn,
          settings,
          tested && name === 'requests' && burn.long === '1h' ? cases : [],
        ),
      ),
    );
  return [
    { name: 'keelson-slo', interval: '1m', recordings: soon, alerts: alerts(BURNS.slice(0, 2), true) },
    { name: 'keelson-slo-days', interval: '5m', recordings: late, alerts: alerts(BURNS.slice(2), false) },
  ];
}
