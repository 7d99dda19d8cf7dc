import type { Slo } from './settings/settings.ts';
import { CALLS } from './guard-rates.ts';
import { LABEL, selector, SERIES } from './queries.ts';

/** What is counted for an objective: two rates by service. */
export interface Indicated {
  /** Events that broke the promise. Zero where there are events and none did, so that the share is 0 and not absent. */
  readonly bad: string;
  readonly total: string;
}

const BY = `${LABEL.namespace}, ${LABEL.service}`;
const SERVER = 'span_kind="SPAN_KIND_SERVER"';

const rate = (series: string, ...matchers: readonly string[]): string =>
  `sum by (${BY}) (rate(${series}${selector(...matchers)}[5m]))`;

/** Over the rates of all guards, which are recorded already. */
const guarded = (...matchers: readonly string[]): string =>
  `sum by (${BY}) (${CALLS}${selector(...matchers)})`;

function shareOf(bad: string, total: string): Indicated {
  return { bad: `${bad} or 0 * ${total}`, total };
}

/** @returns the rates behind an objective, over five minutes */
export function indicated(slo: Slo): Indicated {
  switch (slo.indicator) {
    case 'requests':
      return shareOf(
        rate(SERIES.spanCalls, SERVER, 'status_code="STATUS_CODE_ERROR"'),
        rate(SERIES.spanCalls, SERVER),
      );
    case 'guarded_calls':
      return shareOf(
        guarded(`${LABEL.outcome}=~"failure|timeout|rejected"`),
        guarded(`${LABEL.outcome}!="cancelled"`),
      );
    case 'request_latency': {
      const total = rate(SERIES.spanDurationCount, SERVER);
      const quick = rate(SERIES.spanDurationBucket, SERVER, `le="${(slo.seconds ?? 1) * 1_000}"`);
      return { bad: `${total} - ${quick}`, total };
    }
  }
}
