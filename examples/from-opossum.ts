// What `new CircuitBreaker(charge, { timeout, errorThresholdPercentage, ... })` of opossum becomes.
import { guard } from 'keelson';

const payments = guard('payments', {
  timeout: { attempt: '3s' },
  breaker: { failureRate: 0.5, window: '10s', minimumCalls: 5, successes: 1, openFor: '30s' },
  fallback: { value: 'later' },
});

const url = process.env['PAYMENTS_URL'] ?? 'data:,paid';
const charge = async (amount: number, signal: AbortSignal): Promise<string> =>
  (await fetch(`${url}-${amount}`, { signal })).text();
console.log(await payments.run('charge', ({ signal }) => charge(7, signal)));
