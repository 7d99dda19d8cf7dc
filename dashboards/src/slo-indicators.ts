import { badCalls, CALLS } from './guard-rates.ts';
import { LABEL, selector, SERIES } from './queries.ts';
import type { Slo } from './settings/settings.ts';

/** What is counted for an objective: two rates by service. */
export interface Indicated {
  /** Events that broke the promise. Zero where there are events and none did, so that the share is 0 and not absent. */
  readonly bad: string;
  readonly total: string;
}

/** The events a second, over five minutes. */
export const TOTAL = 'slo:total:rate5m';

const BY = `${LABEL.namespace}, ${LABEL.service}`;
const SERVER = 'span_kind="SPAN_KIND_SERVER"';

const rate = (series: string, ...matchers: readonly string[]): string =>
  `sum by (${BY}) (rate(${series}${selector(...matchers)}[5m]))`;

/**
 * @param name of the objective, whose total is recorded before what is bad of it
 * @returns the rates behind an objective, over five minutes
 */
export function indicated(name: string, slo: Slo): Indicated {
  const recorded = `${TOTAL}${selector(`slo="${name}"`)}`;
  const shareOf = (bad: string, total: string): Indicated => ({
    bad: `${bad} or on (${BY}) 0 * ${recorded}`,
    total,
  });
  switch (slo.indicator) {
    case 'requests':
      return shareOf(
        rate(SERIES.spanCalls, SERVER, 'status_code="STATUS_CODE_ERROR"'),
        rate(SERIES.spanCalls, SERVER),
      );
    case 'guarded_calls':
      return shareOf(badCalls(BY), `sum by (${BY}) (${CALLS})`);
    case 'request_latency': {
      const total = rate(SERIES.spanDurationCount, SERVER);
      const quick = rate(SERIES.spanDurationBucket, SERVER, `le="${(slo.seconds ?? 1) * 1_000}"`);
      return { bad: `${recorded} - on (${BY}) ${quick}`, total };
    }
  }
}
