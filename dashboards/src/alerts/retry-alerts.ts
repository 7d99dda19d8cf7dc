import { type Alert, firing, noData, quiet } from '../alert.ts';
import { ATTEMPTS, callRate, FAILED_ATTEMPTS, happening, RAN, STALE_ANSWERS } from '../guard-rates.ts';
import { GUARDS } from '../panel-ids.ts';
import { LABEL, SERIES } from '../queries.ts';
import { OF_GUARD } from '../rule-file.ts';
import type { Thresholds } from '../settings/thresholds.ts';
import { attempts, calls, guardFires, ofGuard } from './shop.ts';

const NAMED = `{{ $labels.${LABEL.guard} }} of {{ $labels.${LABEL.service} }}`;
const panel = (id: number): Alert['panel'] => ({ uid: GUARDS.uid, panel: id });

const suppressed = ofGuard(SERIES.retrySuppressed, { [LABEL.reason]: 'budget' });
const cached = (result: string): string => ofGuard(SERIES.cacheRequests, { [LABEL.result]: result });

const freshValues = happening(SERIES.cacheRequests, `${LABEL.result}="hit"`);

/** Alerts about retries, and about what stands in when they do not help. */
export function retryAlerts(thresholds: Thresholds): readonly Alert[] {
  const { RetryStorm: storm, RetryBudgetExhausted: budget, FallbackInUse, StaleValuesServed } = thresholds;
  return [
    {
      name: 'RetryStorm',
      severity: 'warning',
      expr: `(${ATTEMPTS} > ${storm.minimumRate}) / ${RAN} > ${storm.attemptsPerCall}`,
      timing: storm,
      summary: `Retries of guard ${NAMED} multiply the load`,
      description: `Every call makes {{ $value | humanize }} attempts on average. A dependency that fails gets more load, not less.`,
      panel: panel(GUARDS.attemptsPerCall),
      threshold: storm.attemptsPerCall,
      variables: OF_GUARD,
      cases: [
        firing(
          'two attempts for every call',
          '15m',
          {
            [calls('success')]: '0+30x80',
            [calls('failure')]: '0+10x80',
            [attempts('success')]: '0+30x80',
            [attempts('failure')]: '0+50x80',
          },
          guardFires('2'),
        ),
        quiet('one retry in ten calls', '15m', {
          [calls('success')]: '0+40x80',
          [attempts('success')]: '0+40x80',
          [attempts('failure')]: '0+4x80',
        }),
        quiet('answers of the cache are no reason to divide by less', '15m', {
          [calls('success', 'cache')]: '0+400x80',
          [calls('success')]: '0+40x80',
          [attempts('success')]: '0+44x80',
        }),
        quiet('too few attempts to harm', '15m', {
          [calls('failure')]: '0+1x80',
          [attempts('failure')]: '0+3x80',
        }),
        noData('no calls at all'),
      ],
    },
    {
      name: 'RetryBudgetExhausted',
      severity: 'warning',
      expr: `${happening(SERIES.retrySuppressed, `${LABEL.reason}="budget"`)} / ${FAILED_ATTEMPTS} > ${budget.ratio}`,
      timing: budget,
      summary: `The retry budget of guard ${NAMED} is used up`,
      description: `After {{ $value | humanizePercentage }} of the failed attempts a retry was due and the shared budget had none left: calls now fail at their first error.`,
      panel: panel(GUARDS.retrySuppressed),
      variables: OF_GUARD,
      cases: [
        firing(
          'one attempt in four',
          '15m',
          { [suppressed]: '0+10x80', [attempts('failure')]: '0+40x80' },
          guardFires('25%'),
        ),
        quiet('one attempt in a hundred', '15m', {
          [suppressed]: '0+1x80',
          [attempts('failure')]: '0+100x80',
        }),
        quiet('other reasons', '15m', {
          [ofGuard(SERIES.retrySuppressed, { [LABEL.reason]: 'not_retryable' })]: '0+40x80',
          [suppressed]: '0x80',
          [attempts('failure')]: '0+40x80',
        }),
        noData('no calls at all'),
      ],
    },
    {
      name: 'FallbackInUse',
      severity: 'info',
      expr: `${callRate(`${LABEL.outcome}="success"`, `${LABEL.origin}="fallback"`)} / ${RAN} > ${FallbackInUse.ratio}`,
      timing: FallbackInUse,
      summary: `Fallback values of guard ${NAMED} stand in`,
      description: `{{ $value | humanizePercentage }} of the calls that ran got the fallback: callers are served, with less than they asked for.`,
      panel: panel(GUARDS.standIns),
      variables: OF_GUARD,
      cases: [
        firing(
          'half of the calls',
          '25m',
          { [calls('success')]: '0+10x120', [calls('success', 'fallback')]: '0+10x120' },
          guardFires('50%'),
        ),
        quiet('never needed', '25m', {
          [calls('success')]: '0+10x120',
          [calls('success', 'fallback')]: '0x120',
        }),
        noData('no fallback'),
      ],
    },
    {
      name: 'StaleValuesServed',
      severity: 'warning',
      expr: `${STALE_ANSWERS} / (${STALE_ANSWERS} + (${freshValues} or 0 * ${STALE_ANSWERS})) > ${StaleValuesServed.ratio}`,
      timing: StaleValuesServed,
      summary: `The cache of guard ${NAMED} serves old values because its source fails`,
      description: `{{ $value | humanizePercentage }} of the values that it gives are past their time. When its last window ends, they fail.`,
      panel: panel(GUARDS.cacheRequests),
      variables: OF_GUARD,
      cases: [
        firing(
          'one answer in five',
          '20m',
          { [cached('hit')]: '0+40x90', [cached('stale_error')]: '0+10x90' },
          guardFires('20%'),
        ),
        firing('nothing else', '20m', { [cached('stale_error')]: '0+10x90' }, guardFires('100%')),
        quiet('old values while a fresh one is fetched', '20m', {
          [cached('hit')]: '0+40x90',
          [cached('stale')]: '0+10x90',
          [cached('stale_error')]: '0x90',
        }),
        noData('no cache'),
      ],
    },
  ];
}
