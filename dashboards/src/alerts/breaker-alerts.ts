import { type Alert, firing, noData, quiet } from '../alert.ts';
import { BY_GUARD, KEYS } from '../guard-rates.ts';
import { GUARDS } from '../panel-ids.ts';
import { LABEL, NOT_CLOSED, selector, SERIES } from '../queries.ts';
import { OF_GUARD } from '../rule-file.ts';
import type { Thresholds } from '../settings/thresholds.ts';
import { guardFires, ofGuard } from './shop.ts';

const NAMED = `{{ $labels.${LABEL.guard} }} of {{ $labels.${LABEL.service} }}`;
const CALLS_TO = `Calls of {{ $labels.${LABEL.service} }} to {{ $labels.${LABEL.guard} }}`;

const state = (name: string): string => ofGuard(SERIES.breakerState, { [LABEL.state]: name });
const stateIn = (instance: string, name: string): string =>
  ofGuard(SERIES.breakerState, { [LABEL.instance]: instance, [LABEL.state]: name });
const keys = (name: string): string => ofGuard(SERIES.guardKeys, { [LABEL.state]: name });
const opened = ofGuard(SERIES.breakerTransitions, { [LABEL.from]: 'closed', [LABEL.to]: 'open' });

const BY_INSTANCE = [BY_GUARD, LABEL.instance].join(', ');
const inState = (matcher: string): string => `${SERIES.breakerState}${selector(`${LABEL.state}${matcher}`)}`;

/** The alert that somebody gets up for, evaluated most often. */
export function openBreakerAlerts({ CircuitBreakerOpen }: Thresholds): readonly Alert[] {
  return [
    {
      name: 'CircuitBreakerOpen',
      severity: 'critical',
      // A breaker is in one state at a time. What is neither closed nor disabled is open, on trial or forced open: two series to read, not four.
      expr: `max by (${BY_GUARD}) (${inState('="closed"')} == 0 unless on (${BY_INSTANCE}) ${inState('="disabled"')} == 1)`,
      timing: CircuitBreakerOpen,
      summary: `Circuit breaker ${NAMED} is not closed`,
      description: `${CALLS_TO} are being refused, or let through only on trial: the dependency fails or is too slow.`,
      panel: { uid: GUARDS.uid, panel: GUARDS.breakerState },
      variables: OF_GUARD,
      cases: [
        firing(
          'open for more than a minute',
          '2m',
          { [state('closed')]: '1 1 0x20', [state('open')]: '0 0 1x20', [state('half_open')]: '0x22' },
          guardFires(),
        ),
        firing(
          'half-open trials that fail do not start the minute anew',
          '1m30s',
          {
            [state('closed')]: '1 0x14',
            [state('open')]: '0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0',
            [state('half_open')]: '0 0 0 1 0 0 1 0 0 1 0 0 1 0 0 1',
          },
          guardFires(),
        ),
        firing(
          'forced open by hand',
          '2m',
          { [state('closed')]: '0x20', [state('open')]: '0x20', [state('forced_open')]: '1x20' },
          guardFires(),
        ),
        firing(
          'closed again, and still told for two minutes so that it does not flap',
          '3m30s',
          { [state('closed')]: '0x8 1x20', [state('open')]: '1x8 0x20' },
          guardFires(),
        ),
        firing(
          'open in one instance, and disabled in another',
          '2m',
          {
            [stateIn('one', 'closed')]: '0x20',
            [stateIn('one', 'open')]: '1x20',
            [stateIn('one', 'disabled')]: '0x20',
            [stateIn('two', 'closed')]: '0x20',
            [stateIn('two', 'disabled')]: '1x20',
          },
          guardFires(),
        ),
        quiet('closed again for more than two minutes', '5m', {
          [state('closed')]: '0x8 1x20',
          [state('open')]: '1x8 0x20',
        }),
        quiet('open for less than a minute', '2m', {
          [state('closed')]: '1 0 0 0 1x20',
          [state('open')]: '0 1 1 1 0x20',
        }),
        quiet('closed, or switched off', '4m', {
          [stateIn('one', 'closed')]: '1x20',
          [stateIn('one', 'open')]: '0x20',
          [stateIn('one', 'disabled')]: '0x20',
          [stateIn('two', 'closed')]: '0x20',
          [stateIn('two', 'open')]: '0x20',
          [stateIn('two', 'disabled')]: '1x20',
        }),
        noData('no breaker at all'),
      ],
    },
  ];
}

/** Alerts about what breakers do for long, or again and again, and about those of keys. */
export function breakerAlerts(thresholds: Thresholds): readonly Alert[] {
  const { CircuitBreakerFlapping, CircuitBreakerHeldByHand, KeyedCircuitBreakersOpen: keyed } = thresholds;
  const keysIn = (...matchers: readonly string[]): string =>
    `sum by (${BY_GUARD}) (${KEYS}${selector(...matchers)})`;
  return [
    {
      name: 'CircuitBreakerFlapping',
      severity: 'warning',
      expr: `sum by (${BY_GUARD}) (increase(${SERIES.breakerTransitions}${selector(`${LABEL.from}="closed"`, `${LABEL.to}="open"`)}[15m]) > 0) > ${CircuitBreakerFlapping.openings}`,
      timing: CircuitBreakerFlapping,
      summary: `Circuit breaker ${NAMED} opens again and again`,
      description: `It opened {{ $value | humanize }} times in fifteen minutes: the dependency recovers just long enough for the trials.`,
      panel: { uid: GUARDS.uid, panel: GUARDS.breakerTransitions },
      variables: OF_GUARD,
      cases: [
        firing(
          'once in two minutes',
          '20m',
          { [opened]: '0x7 1x7 2x7 3x7 4x7 5x7 6x7 7x7 8x7 9x7' },
          guardFires('7.241'),
        ),
        quiet('once, and open ever since', '20m', { [opened]: '0x20 1x100' }),
        quiet('failed trials are no new opening', '20m', {
          [ofGuard(SERIES.breakerTransitions, { [LABEL.from]: 'half_open', [LABEL.to]: 'open' })]: '0+1x100',
        }),
        noData('no breaker at all'),
      ],
    },
    {
      name: 'CircuitBreakerHeldByHand',
      severity: 'warning',
      expr: `max by (${[BY_GUARD, LABEL.state].join(', ')}) (${inState('=~"forced_open|disabled"')} == 1)`,
      timing: CircuitBreakerHeldByHand,
      summary: `Circuit breaker ${NAMED} is held by hand`,
      description: `Somebody set it to {{ $labels.${LABEL.state} }} and has not put it back. Forced open it refuses every call; disabled it protects nobody.`,
      panel: { uid: GUARDS.uid, panel: GUARDS.breakerState },
      variables: OF_GUARD,
      cases: [
        firing(
          'disabled for more than an hour',
          '70m',
          { [state('disabled')]: '1x300' },
          {
            labels: { ...guardFires().labels, [LABEL.state]: 'disabled' },
          },
        ),
        quiet('disabled for some minutes', '70m', { [state('disabled')]: '1x40 0x260' }),
        quiet('open by failures', '70m', { [state('open')]: '1x300', [state('forced_open')]: '0x300' }),
        noData('no breaker at all'),
      ],
    },
    {
      name: 'KeyedCircuitBreakersOpen',
      severity: 'warning',
      expr: `${keysIn(`${LABEL.state}=~"${NOT_CLOSED}"`)} / (${keysIn()} >= ${keyed.keys}) > ${keyed.ratio}`,
      timing: keyed,
      summary: `Most keys of guard ${NAMED} have an open breaker`,
      description: `{{ $value | humanizePercentage }} of its keys refuse calls: it is not single hosts or tenants, it is what they share.`,
      panel: { uid: GUARDS.uid, panel: GUARDS.keyedState },
      variables: OF_GUARD,
      cases: [
        firing(
          'six of eight keys',
          '10m',
          { [keys('open')]: '5x60', [keys('half_open')]: '1x60', [keys('closed')]: '2x60' },
          guardFires('75%'),
        ),
        quiet('one key of eight', '10m', { [keys('open')]: '1x60', [keys('closed')]: '7x60' }),
        quiet('the only key there is', '10m', { [keys('open')]: '1x60', [keys('closed')]: '0x60' }),
        noData('no keys'),
      ],
    },
  ];
}
