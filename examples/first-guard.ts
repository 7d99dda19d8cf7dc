// Run it: node examples/first-guard.ts, or with spans and metrics: node --import keelson/register examples/first-guard.ts
import { guard } from 'keelson';

const payments = guard('payments', {
  retry: { retries: 3, delay: '100ms' },
  breaker: { failures: 5, openFor: '30s' },
  bulkhead: { concurrent: 10, queue: 20 },
  timeout: { attempt: '2s', total: '10s' },
});

const url = process.env['PAYMENTS_URL'] ?? 'data:,paid';
const receipt = await payments.run('charge', async ({ signal }) => (await fetch(url, { signal })).text());

console.log(receipt, payments.snapshot().attempts);
