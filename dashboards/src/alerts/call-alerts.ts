import { type Alert, type AlertCase, firing, noData, quiet } from '../alert.ts';
import { ATTEMPTS, BY_GUARD, callRate, FAILED_ATTEMPTS, RAN } from '../guard-rates.ts';
import { GUARDS } from '../panel-ids.ts';
import { FAILED, LABEL, selector, SERIES } from '../queries.ts';
import { OF_GUARD } from '../rule-file.ts';
import type { Thresholds } from '../settings/thresholds.ts';
import { attempts, calls, guardFires } from './shop.ts';

const NAMED = `{{ $labels.${LABEL.guard} }} of {{ $labels.${LABEL.service} }}`;
const CALLS = `of the calls of {{ $labels.${LABEL.service} }} to {{ $labels.${LABEL.guard} }}`;
const panel = (id: number): Alert['panel'] => ({ uid: GUARDS.uid, panel: id });
const outcome = (values: string): string => `${LABEL.outcome}=~"${values}"`;

const tooFew = (series: AlertCase['series']): AlertCase =>
  quiet('too few calls for a share to mean something', '15m', series);

/** Alerts about how calls end. */
export function callAlerts(thresholds: Thresholds): readonly Alert[] {
  const {
    CallFailureRatioHigh: failures,
    CallTimeoutRatioHigh: timeouts,
    AttemptFailureRatioHigh: attempt,
    AbandonedCallsHigh: abandoned,
  } = thresholds;
  return [
    {
      name: 'CallFailureRatioHigh',
      severity: 'warning',
      expr: `${callRate(outcome(FAILED))} / (${RAN} > ${failures.minimumRate}) > ${failures.ratio}`,
      timing: failures,
      summary: `Calls of guard ${NAMED} fail too often`,
      description: `{{ $value | humanizePercentage }} ${CALLS} failed or timed out in the last five minutes, retries included.`,
      panel: panel(GUARDS.failureRatio),
      threshold: failures.ratio,
      variables: OF_GUARD,
      cases: [
        firing(
          'a quarter of the calls fails or times out',
          '10m',
          { [calls('success')]: '0+30x60', [calls('failure')]: '0+6x60', [calls('timeout')]: '0+4x60' },
          guardFires('25%'),
        ),
        quiet('one call in fifty fails', '10m', {
          [calls('success')]: '0+49x60',
          [calls('failure')]: '0+1x60',
        }),
        quiet('rejections and cancellations are nobody’s failure', '10m', {
          [calls('success')]: '0+30x60',
          [calls('rejected')]: '0+30x60',
          [calls('cancelled')]: '0+30x60',
        }),
        tooFew({ [calls('success')]: '0+0.5x60', [calls('failure')]: '0+0.5x60' }),
        noData('no calls at all'),
      ],
    },
    {
      name: 'CallTimeoutRatioHigh',
      severity: 'warning',
      expr: `${callRate(outcome('timeout'))} / (${RAN} > ${timeouts.minimumRate}) > ${timeouts.ratio}`,
      timing: timeouts,
      summary: `Calls of guard ${NAMED} time out too often`,
      description: `{{ $value | humanizePercentage }} ${CALLS} timed out in the last five minutes, retries included: the dependency is slow, not wrong.`,
      panel: panel(GUARDS.callDuration),
      variables: OF_GUARD,
      cases: [
        firing(
          'one call in ten times out',
          '15m',
          { [calls('success')]: '0+45x80', [calls('timeout')]: '0+5x80' },
          guardFires('10%'),
        ),
        quiet('calls fail, but at once', '15m', {
          [calls('success')]: '0+45x80',
          [calls('failure')]: '0+5x80',
        }),
        tooFew({ [calls('success')]: '0+0.5x80', [calls('timeout')]: '0+0.5x80' }),
        noData('no calls at all'),
      ],
    },
    {
      name: 'AttemptFailureRatioHigh',
      severity: 'warning',
      expr: `${FAILED_ATTEMPTS} / (${ATTEMPTS} > ${attempt.minimumRate}) > ${attempt.ratio}`,
      timing: attempt,
      summary: `The dependency behind guard ${NAMED} fails too often`,
      description: `{{ $value | humanizePercentage }} of the attempts failed or timed out in the last five minutes. Retries, caches and fallbacks may still hide it from callers.`,
      panel: panel(GUARDS.attempts),
      variables: OF_GUARD,
      cases: [
        firing(
          'every second attempt fails, and every call succeeds',
          '20m',
          {
            [attempts('success')]: '0+20x90',
            [attempts('failure')]: '0+20x90',
            [calls('success')]: '0+20x90',
          },
          guardFires('50%'),
        ),
        quiet('one attempt in twenty fails', '20m', {
          [attempts('success')]: '0+57x90',
          [calls('success')]: '0+57x90',
          [attempts('failure')]: '0+3x90',
        }),
        quiet('callers gave up', '20m', {
          [attempts('success')]: '0+20x90',
          [attempts('cancelled')]: '0+20x90',
        }),
        tooFew({ [attempts('success')]: '0+0.5x90', [attempts('failure')]: '0+0.5x90' }),
        noData('no attempts at all'),
      ],
    },
    {
      name: 'AbandonedCallsHigh',
      severity: 'warning',
      expr: `sum by (${BY_GUARD}) (${SERIES.abandoned} > 0) > ${abandoned.calls}`,
      timing: abandoned,
      summary: `Functions of guard ${NAMED} go on after their call has ended`,
      description: `{{ $value | humanize }} functions are still running although their call timed out or was cancelled: they ignore their signal, and hold sockets and memory.`,
      panel: panel(GUARDS.abandoned),
      threshold: abandoned.calls,
      variables: OF_GUARD,
      cases: [
        firing(
          'thirty for a quarter of an hour',
          '15m',
          {
            [`${SERIES.abandoned}${selector(`${LABEL.service}="shop"`, `${LABEL.guard}="payments"`)}`]:
              '30x80',
          },
          guardFires('30'),
        ),
        quiet('some, as after any timeout', '15m', {
          [`${SERIES.abandoned}${selector(`${LABEL.service}="shop"`, `${LABEL.guard}="payments"`)}`]: '5x80',
        }),
        noData('no guard'),
      ],
    },
  ];
}
