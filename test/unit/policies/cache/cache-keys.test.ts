import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CacheKeys } from '../../../../src/policies/cache/cache-keys.ts';

const name = fc.constantFrom('', 'a', 'b', 'ab', 'read', 'list');

test('what is called the same under another operation has another key, and the same key each time', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.tuple(name, name), { maxLength: 40 }),
      (max, pairs) => {
        const keys = new CacheKeys(max);
        const meant = new Map<string, string>();
        for (const [operation, key] of pairs) {
          const whole = keys.of(operation, key);
          const pair = JSON.stringify([operation, key]);
          expect(meant.get(whole) ?? pair).toBe(pair);
          meant.set(whole, pair);
          expect(keys.of(operation, key)).toBe(whole);
          expect(keys.size).toBeLessThanOrEqual(max);
        }
        expect(meant.size).toBe(new Set(meant.values()).size);
      },
    ),
  );
});

test('no more keys are kept than the cache has entries, over all operations', () => {
  const keys = new CacheKeys(3);
  for (const operation of ['read', 'list']) for (const key of ['1', '2']) keys.of(operation, key);
  expect(keys.size).toBe(1);
});
