import { type Alert, firing, noData, quiet } from '../alert.ts';
import { BULKHEAD_USE, happening, refusedShare } from '../guard-rates.ts';
import { GUARDS } from '../panel-ids.ts';
import { LABEL, SERIES } from '../queries.ts';
import { OF_GUARD } from '../rule-file.ts';
import type { Thresholds } from '../settings/thresholds.ts';
import { calls, guardFires, ofGuard, rejections } from './shop.ts';

const NAMED = `{{ $labels.${LABEL.guard} }} of {{ $labels.${LABEL.service} }}`;
const panel = (id: number): Alert['panel'] => ({ uid: GUARDS.uid, panel: id });

const active = ofGuard(SERIES.bulkheadActive);
const limit = ofGuard(SERIES.bulkheadLimit);
const storeFailures = ofGuard(SERIES.storeFailures);
const tierFailures = ofGuard(SERIES.cacheTierFailures);

function bulkheadAlerts({
  BulkheadNearlySaturated: near,
  BulkheadSaturated: full,
}: Thresholds): readonly Alert[] {
  return [
    {
      name: 'BulkheadNearlySaturated',
      severity: 'warning',
      expr: `${BULKHEAD_USE} > ${near.ratio}`,
      timing: near,
      summary: `Bulkhead ${NAMED} is nearly full`,
      description: `{{ $value | humanizePercentage }} of its slots were in use over five minutes. A little more load or latency, and calls queue.`,
      panel: panel(GUARDS.bulkheadSaturation),
      threshold: near.ratio,
      variables: OF_GUARD,
      cases: [
        firing('eight of ten slots', '20m', { [active]: '8x90', [limit]: '10x90' }, guardFires('80%')),
        quiet('half of the slots', '20m', { [active]: '5x90', [limit]: '10x90' }),
        quiet('full at some glances only', '20m', {
          [active]: '10 0 0 10 0 0 10 0 0 10x3 0x80',
          [limit]: '10x90',
        }),
        noData('no bulkhead'),
      ],
    },
    {
      name: 'BulkheadSaturated',
      severity: 'critical',
      expr: `${BULKHEAD_USE} > ${full.ratio} or ${refusedShare('bulkhead')} > ${full.rejectedRatio}`,
      timing: full,
      summary: `Bulkhead ${NAMED} is full`,
      description: `{{ $value | humanizePercentage }} of its slots are in use, or that share of the calls is refused because none was free.`,
      panel: panel(GUARDS.bulkheadSaturation),
      threshold: full.ratio,
      variables: OF_GUARD,
      cases: [
        firing('every slot in use', '15m', { [active]: '10x80', [limit]: '10x80' }, guardFires('100%')),
        firing(
          'bursts that are refused between the glances',
          '15m',
          {
            [active]: '2x80',
            [limit]: '10x80',
            [rejections('bulkhead', 'full')]: '0+4x80',
            [calls('success')]: '0+36x80',
            [calls('rejected')]: '0+4x80',
          },
          guardFires('10%'),
        ),
        quiet('room enough, and another policy that refuses', '15m', {
          [active]: '2x80',
          [limit]: '10x80',
          [rejections('rate_limit', 'rate_limited')]: '0+4x80',
          [rejections('bulkhead', 'full')]: '0x80',
          [calls('success')]: '0+36x80',
        }),
        noData('no bulkhead'),
      ],
    },
  ];
}

/** Alerts about bulkheads, rate limits, and the stores behind them. */
export function limitAlerts(thresholds: Thresholds): readonly Alert[] {
  const { RateLimitRejections, RateLimitStoreFailing, CacheTierFailing } = thresholds;
  return [
    ...bulkheadAlerts(thresholds),
    {
      name: 'RateLimitRejections',
      severity: 'warning',
      expr: `${refusedShare('rate_limit')} > ${RateLimitRejections.ratio}`,
      timing: RateLimitRejections,
      summary: `The rate limit of guard ${NAMED} refuses calls`,
      description: `{{ $value | humanizePercentage }} of the calls were refused because the quota was used up.`,
      panel: panel(GUARDS.rejectedShare),
      threshold: RateLimitRejections.ratio,
      variables: OF_GUARD,
      cases: [
        firing(
          'every second call',
          '20m',
          {
            [rejections('rate_limit', 'rate_limited')]: '0+20x90',
            [calls('success')]: '0+20x90',
            [calls('rejected')]: '0+20x90',
          },
          guardFires('50%'),
        ),
        quiet('one call in a hundred', '20m', {
          [rejections('rate_limit', 'rate_limited')]: '0+1x90',
          [calls('success')]: '0+99x90',
        }),
        noData('no rate limit'),
      ],
    },
    {
      name: 'RateLimitStoreFailing',
      severity: 'warning',
      expr: `${happening(SERIES.storeFailures)} > ${RateLimitStoreFailing.rate}`,
      timing: RateLimitStoreFailing,
      summary: `The shared store of the rate limit of guard ${NAMED} does not answer`,
      description: `{{ $value | printf "%.1f" }} questions a second fail. Until it answers, every instance limits by itself, lets everything pass or refuses everything: that is the option \`onStoreFailure\`.`,
      panel: panel(GUARDS.storeFailures),
      variables: OF_GUARD,
      cases: [
        firing('one failure a second', '15m', { [storeFailures]: '0+15x80' }, guardFires('1.0')),
        quiet('none, although the store is there', '15m', { [storeFailures]: '0x80' }),
        noData('no shared store'),
      ],
    },
    {
      name: 'CacheTierFailing',
      severity: 'warning',
      expr: `${happening(SERIES.cacheTierFailures)} > ${CacheTierFailing.rate}`,
      timing: CacheTierFailing,
      summary: `The second tier of the cache of guard ${NAMED} fails`,
      description: `{{ $value | printf "%.1f" }} operations a second fail or take too long. Calls go on without it: every instance asks the source for itself.`,
      panel: panel(GUARDS.storeFailures),
      variables: OF_GUARD,
      cases: [
        firing('two failures a second', '15m', { [tierFailures]: '0+30x80' }, guardFires('2.0')),
        quiet('none', '15m', { [tierFailures]: '0x80' }),
        noData('no second tier'),
      ],
    },
  ];
}
