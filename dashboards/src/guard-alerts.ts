import type { Alert } from './alert.ts';
import { PANEL } from './panel-ids.ts';
import { EXECUTED, failureRatio, LABEL, NOT_CLOSED, selector, SERIES, THRESHOLD } from './queries.ts';

const BY_GUARD = [LABEL.namespace, LABEL.service, LABEL.guard];
const OF_GUARD = {
  service: `{{ $labels.${LABEL.service} }}`,
  guard: `{{ $labels.${LABEL.guard} }}`,
};
const NAMED = `{{ $labels.${LABEL.guard} }} of {{ $labels.${LABEL.service} }}`;

const guardLabels = { [LABEL.service]: 'shop', [LABEL.guard]: 'payments' };

const state = (name: string): string =>
  `${SERIES.breakerState}${selector(`${LABEL.service}="shop"`, `${LABEL.guard}="payments"`, `${LABEL.state}="${name}"`)}`;

const calls = (outcome: string): string =>
  `${SERIES.calls}${selector(`${LABEL.service}="shop"`, `${LABEL.guard}="payments"`, `${LABEL.outcome}="${outcome}"`, `${LABEL.origin}="live"`)}`;

const opened = {
  labels: { ...guardLabels, severity: 'critical' },
  summary: 'Circuit breaker payments of shop is not closed',
  description:
    'Calls of shop to payments are being refused, or let through only on trial, for more than a minute: the dependency fails or is too slow.',
};

/** The breaker refuses calls, or tries whether it still has to. */
export const circuitBreakerOpen: Alert = {
  name: 'CircuitBreakerOpen',
  severity: 'critical',
  expr: `max by (${BY_GUARD.join(', ')}) (${SERIES.breakerState}${selector(`${LABEL.state}=~"${NOT_CLOSED}"`)}) == 1`,
  for: '1m',
  keepFiringFor: '2m',
  summary: `Circuit breaker ${NAMED} is not closed`,
  description: `Calls of {{ $labels.${LABEL.service} }} to {{ $labels.${LABEL.guard} }} are being refused, or let through only on trial, for more than a minute: the dependency fails or is too slow.`,
  panel: PANEL.breakerState,
  variables: OF_GUARD,
  cases: [
    {
      kind: 'firing',
      title: 'open for more than a minute',
      series: { [state('closed')]: '1 1 0x20', [state('open')]: '0 0 1x20', [state('half_open')]: '0x22' },
      at: '2m',
      alerts: [opened],
    },
    {
      kind: 'firing',
      title: 'half-open trials that fail do not start the minute anew',
      series: {
        [state('open')]: '0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0',
        [state('half_open')]: '0 0 0 1 0 0 1 0 0 1 0 0 1 0 0 1',
      },
      at: '1m30s',
      alerts: [opened],
    },
    {
      kind: 'firing',
      title: 'forced open by hand',
      series: { [state('open')]: '0x20', [state('forced_open')]: '1x20' },
      at: '2m',
      alerts: [opened],
    },
    {
      kind: 'firing',
      title: 'closed again, and still told for two minutes so that it does not flap',
      series: { [state('open')]: '1x8 0x20' },
      at: '3m30s',
      alerts: [opened],
    },
    {
      kind: 'not firing',
      title: 'closed again for more than two minutes',
      series: { [state('open')]: '1x8 0x20' },
      at: '5m',
      alerts: [],
    },
    {
      kind: 'not firing',
      title: 'open for less than a minute',
      series: { [state('closed')]: '1 0 0 0 1x20', [state('open')]: '0 1 1 1 0x20' },
      at: '2m',
      alerts: [],
    },
    {
      kind: 'not firing',
      title: 'closed, or switched off',
      series: { [state('closed')]: '1x20', [state('open')]: '0x20', [state('disabled')]: '1x20' },
      at: '4m',
      alerts: [],
    },
    { kind: 'no data', title: 'no breaker at all', series: {}, at: '4m', alerts: [] },
  ],
};

/** Calls that ran end badly too often. */
export const callFailureRatioHigh: Alert = {
  name: 'CallFailureRatioHigh',
  severity: 'warning',
  expr:
    `${failureRatio(BY_GUARD, '5m')} > ${THRESHOLD.failureRatio}\n` +
    `and sum by (${BY_GUARD.join(', ')}) (rate(${SERIES.calls}${selector(`${LABEL.outcome}=~"${EXECUTED}"`)}[5m])) > ${THRESHOLD.minimumCallRate}`,
  for: '2m',
  keepFiringFor: '5m',
  summary: `Calls of guard ${NAMED} fail too often`,
  description: `{{ $value | humanizePercentage }} of the calls of {{ $labels.${LABEL.service} }} to {{ $labels.${LABEL.guard} }} failed or timed out in the last five minutes, retries included.`,
  panel: PANEL.failureRatio,
  variables: OF_GUARD,
  cases: [
    {
      kind: 'firing',
      title: 'a quarter of the calls fails or times out',
      series: { [calls('success')]: '0+30x60', [calls('failure')]: '0+6x60', [calls('timeout')]: '0+4x60' },
      at: '10m',
      alerts: [
        {
          labels: { ...guardLabels, severity: 'warning' },
          summary: 'Calls of guard payments of shop fail too often',
          description:
            '25% of the calls of shop to payments failed or timed out in the last five minutes, retries included.',
        },
      ],
    },
    {
      kind: 'not firing',
      title: 'one call in fifty fails',
      series: { [calls('success')]: '0+49x60', [calls('failure')]: '0+1x60' },
      at: '10m',
      alerts: [],
    },
    {
      kind: 'not firing',
      title: 'rejections and cancellations are nobody’s failure',
      series: {
        [calls('success')]: '0+30x60',
        [calls('rejected')]: '0+30x60',
        [calls('cancelled')]: '0+30x60',
      },
      at: '10m',
      alerts: [],
    },
    {
      kind: 'not firing',
      title: 'too few calls for a share to mean something',
      series: { [calls('success')]: '0+0.5x60', [calls('failure')]: '0+0.5x60' },
      at: '10m',
      alerts: [],
    },
    { kind: 'no data', title: 'no calls at all', series: {}, at: '10m', alerts: [] },
  ],
};
