// Policies that you already have from cockatiel, with the spans and metrics of a guard: one line, and nothing else changes.
// Run it: npx node examples/observe-cockatiel.ts
import { ConsecutiveBreaker, ExponentialBackoff, circuitBreaker, handleAll, retry, wrap } from 'cockatiel';
import { observe } from 'keelson';

const policy = wrap(
  retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff({ initialDelay: 50 }) }),
  circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(5) }),
);

const payments = observe(policy, { name: 'payments', operation: 'receipt' });

const url = process.env['PAYMENTS_URL'] ?? 'data:,paid';
const receipt = await payments.execute(async ({ signal }) => {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`payments answered ${response.status}`);
  return response.text();
});

console.log(receipt);
