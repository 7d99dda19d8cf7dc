import { describe, expect, test } from 'vitest';
import type { ChaosOptions } from '../../../src/testing/index.ts';
import { chaos } from '../../../src/testing/index.ts';

describe('options that cannot be used', () => {
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['a switch of no meaning', { enabled: 'yes' }, /`enabled` to be true, false or 'baggage', got 'yes'/],
    ['an unknown key', { fault: {} }, /Unknown option `fault`. Did you mean `faults`/],
    ['a rate above 1', { faults: { rate: 5 } }, /`faults.rate` to be a number in \[0, 1\], got 5/],
    [
      'an error that is no function',
      { faults: { error: new Error('no') } },
      /`faults.error` to be a function/,
    ],
    ['a latency without bounds', { latency: {} }, /`latency.max` to be a duration, got undefined/],
    ['a latency of no duration', { latency: { max: '1 second' } }, /`latency.max` to be a duration/],
    [
      'bounds the wrong way round',
      { latency: { min: '2s', max: '1s' } },
      /`latency.max` to be at least `min`/,
    ],
    [
      'an outcome that is no function',
      { outcomes: { value: 1 } },
      /`outcomes.value` to be a function, got 1/,
    ],
    ['a permission of no meaning', { allowInProduction: 'yes' }, /`allowInProduction` to be true or false/],
    ['chance that is no function', { random: 1 }, /`random` to be a function/],
  ];
  test.each(cases)('are told: %s', (_, options, message) => {
    expect(() => chaos(options as ChaosOptions)).toThrow(message);
  });
});
