// Run it: npx node examples/first-guard.ts, or with spans and metrics: npx node --import keelson/register examples/first-guard.ts
import { guard } from 'keelson';

const payments = guard('payments', {
  retry: { retries: 3, delay: '100ms' },
  breaker: { failures: 5, openFor: '30s' },
  bulkhead: { concurrent: 10, queue: 20 },
  timeout: { attempt: '2s', total: '10s' },
});

const url = process.env['PAYMENTS_URL'] ?? 'data:,paid';
const receipt = await payments.run('receipt', async ({ signal }) => {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`payments answered ${response.status}`);
  return response.text();
});

console.log(receipt, payments.snapshot().attempts);
