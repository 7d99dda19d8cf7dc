import * as cockatiel from 'cockatiel';
import * as cockatiel3 from 'cockatiel3';
import { expect, test } from 'vitest';
import { RejectedError } from '../../../src/core/errors.ts';
import { cockatielRejection, isRefusal } from '../../../src/policies/cockatiel-rejection.ts';

test.each([
  ['4', cockatiel],
  ['3', cockatiel3],
])('the refusals of cockatiel %s are known by their brands', (_version, library) => {
  const full = new library.BulkheadRejectedError(1, 1);
  const open = new library.BrokenCircuitError();
  const isolated = new library.IsolatedCircuitError();
  const hydrating = new library.HydratingCircuitError();
  expect([full, open, isolated, hydrating].map(cockatielRejection)).toEqual([
    { policy: 'bulkhead', reason: 'full' },
    { policy: 'breaker', reason: 'open' },
    { policy: 'breaker', reason: 'forced_open' },
    { policy: 'breaker', reason: 'half_open' },
  ]);
  expect([full, open, isolated, hydrating].every(isRefusal)).toBe(true);
  expect(isRefusal(new library.TaskCancelledError())).toBe(false);
});

test('no other error is one, and our own are', () => {
  expect([new Error('no'), { isBrokenCircuitError: true }, 'open', undefined].map(isRefusal)).toEqual(
    Array(4).fill(false),
  );
  expect(isRefusal(new RejectedError('ERR_KEELSON_BREAKER_OPEN', 'open', 'The circuit is open.'))).toBe(true);
});
