import { guard } from 'keelson';

export const VERSION = 1;

export const payments = guard('payments', {
  preset: 'http',
  cache: false,
  retry: { retries: 2, delay: '50ms', retryIf: (error) => error.status !== 404 },
  timeout: { attempt: '2s' },
});

/** What each page shows after a call of its own. */
export async function answer(operation) {
  const value = await payments.run(operation, async () => 'paid');
  const { calls } = payments.snapshot();
  return {
    version: VERSION,
    value,
    calls: calls.success,
    attemptTimeout: /timeout: [23]s/.exec(payments.describe())?.[0],
  };
}
