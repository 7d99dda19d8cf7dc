import { expect, test } from 'vitest';
import { formatAge } from '../../../../src/cli/frame/quantities.ts';

test.each([
  [-5_000, '0s'],
  [400, '0s'],
  [41_000, '41s'],
  [88_365, '1m 28s'],
  [120_000, '2m'],
  [3_600_000 + 5_000, '1h'],
  [6 * 86_400_000 + 23 * 3_600_000 + 59 * 60_000, '6d 23h'],
])('an age of %d ms is said as %s', (ms, said) => {
  expect(formatAge(ms)).toBe(said);
});
