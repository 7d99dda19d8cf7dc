// What `new CircuitBreaker(charge, { timeout, errorThresholdPercentage, ... })` of opossum becomes.
// Run it: npx node examples/from-opossum.ts
import { guard } from 'keelson';

const payments = guard('payments', {
  timeout: { attempt: '3s' },
  breaker: { failureRate: 0.5, window: '10s', minimumCalls: 5, successes: 1, openFor: '30s' },
  fallback: { value: 'later' },
});

const url = process.env['PAYMENTS_URL'] ?? 'data:,paid';
async function charge(amount: number, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${url}-${amount}`, { signal });
  if (!response.ok) throw new Error(`payments answered ${response.status}`);
  return response.text();
}

console.log(await payments.run('charge', ({ signal }) => charge(7, signal)));
