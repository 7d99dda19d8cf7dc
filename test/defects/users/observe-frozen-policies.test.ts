import * as cockatiel from 'cockatiel';
import { expect, test } from 'vitest';
import { createKeelson } from '../../../src/index.ts';

test('a frozen policy of cockatiel can be observed: its calls and events work, and its class stays', async () => {
  const keelson = createKeelson();
  const frozen = Object.freeze(cockatiel.retry(cockatiel.handleAll, { maxAttempts: 1 }));
  const observed = keelson.observe(frozen, { name: 'payments' });
  const retries: unknown[] = [];
  observed.onRetry((event) => retries.push(event));
  let calls = 0;
  const value = await observed.execute(() => {
    calls += 1;
    if (calls === 1) throw new Error('once');
    return 'paid';
  });
  expect([value, calls, retries.length]).toEqual(['paid', 2, 1]);
  expect(observed).toBeInstanceOf(cockatiel.RetryPolicy);
});

test('a frozen wrap can be observed', async () => {
  const wrapped = Object.freeze(cockatiel.wrap(cockatiel.noop, cockatiel.bulkhead(1)));
  const observed = createKeelson().observe(wrapped, { name: 'payments' });
  expect(await observed.execute(() => 'paid')).toBe('paid');
});
