import { MappingType, type ValueMap } from '@grafana/grafana-foundation-sdk/dashboard';
import { GUARD } from '../guard-queries.ts';
import { LABEL, selector, SERIES } from '../queries.ts';

/** One number for each state, the worst highest, so that `max` over instances shows the worst. Closed is 1, so that 0 means that nobody speaks. */
const STATE_CODES: readonly (readonly [state: string, code: number, text: string, color: string])[] = [
  ['closed', 1, 'closed', 'green'],
  ['disabled', 2, 'disabled', 'blue'],
  ['half_open', 3, 'half-open', 'yellow'],
  ['open', 4, 'open', 'red'],
  ['forced_open', 5, 'forced open', 'purple'],
];

/** @returns the state of each breaker as a number, over the guards that the matchers choose */
export function stateCode(...matchers: readonly string[]): string {
  const parts = STATE_CODES.map(
    ([state, code]) =>
      `${code} * ${SERIES.breakerState}${selector(...matchers, `${LABEL.state}="${state}"`)}`,
  );
  return `max by (${GUARD.join(', ')}) (${parts.join(' or ')})`;
}

/** Words and colours of the numbers. */
export const STATE_MAPPINGS: ValueMap[] = [
  {
    type: MappingType.ValueToText,
    options: Object.fromEntries(
      STATE_CODES.map(([, code, text, color]) => [String(code), { text, color, index: code }]),
    ),
  },
];
