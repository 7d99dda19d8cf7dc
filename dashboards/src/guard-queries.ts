import { EXECUTED, FAILED, LABEL, selector, SERIES } from './queries.ts';

/** Matches the chosen services. */
export const SERVICE: string = `${LABEL.service}=~"$service"`;
/** Matches the chosen guards of the chosen services. */
export const SCOPE: readonly string[] = [SERVICE, `${LABEL.guard}=~"$guard"`];
/** The labels that tell guards apart. */
export const GUARD: readonly string[] = [LABEL.service, LABEL.guard];
/** A guard in a legend. */
export const GUARD_LEGEND: string = `{{${LABEL.service}}} / {{${LABEL.guard}}}`;
/** Grafana's own choice of a range for rates. */
export const RATE = '$__rate_interval';

/** Sum of a counter's rate over the chosen guards, by some labels. */
export function rate(series: string, ...by: readonly string[]): string {
  return `sum by (${by.join(', ')}) (rate(${series}${selector(...SCOPE)}[${RATE}]))`;
}

/** Sum of a counter's rate by guard, over the series that further matchers choose. */
export function rateOf(series: string, ...matchers: readonly string[]): string {
  return `sum by (${GUARD.join(', ')}) (rate(${series}${selector(...SCOPE, ...matchers)}[${RATE}]))`;
}

/** The share of executed calls that failed or timed out, by guard. */
export function failureRatio(...matchers: readonly string[]): string {
  const among = (outcomes: string): string =>
    `sum by (${GUARD.join(', ')}) (rate(${SERIES.calls}${selector(...matchers, `${LABEL.outcome}=~"${outcomes}"`)}[${RATE}]))`;
  return `${among(FAILED)} / ${among(EXECUTED)}`;
}

/** Sum of a gauge over the chosen guards, by guard. */
export function sum(series: string): string {
  return `sum by (${GUARD.join(', ')}) (${series}${selector(...SCOPE)})`;
}

/** A quantile of a histogram of seconds, by guard. @param q 0 to 1 */
export function quantile(
  q: number,
  series: string = SERIES.callDurationBucket,
  scope: readonly string[] = SCOPE,
): string {
  const buckets = `sum by (le, ${GUARD.join(', ')}) (rate(${series}${selector(...scope)}[${RATE}]))`;
  return `histogram_quantile(${q}, ${buckets})`;
}
