// What `wrap(retry(...), circuitBreaker(...), bulkhead(...), timeout(...))` of cockatiel becomes.
// Run it: npx node examples/from-cockatiel.ts
import { guard } from 'keelson';

const payments = guard('payments', {
  retry: { retries: 3, delay: '128ms', maxDelay: '30s', jitter: 0.5 },
  breaker: { failures: 5, successes: 1, openFor: '10s' },
  bulkhead: { concurrent: 10, queue: 20 },
  timeout: { attempt: '2s' },
});

const url = process.env['PAYMENTS_URL'] ?? 'data:,paid';
const receipt = await payments.run('receipt', async ({ signal }) => {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`payments answered ${response.status}`);
  return response.text();
});

console.log(receipt);
