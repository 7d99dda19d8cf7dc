const { guard, isRejection } = require('keelson');

async function main() {
  const payments = guard('payments', {
    breaker: { failures: 2, openFor: '1m' },
    retry: { retries: 1, delay: 1 },
  });
  const value = await payments.run('charge', () => 'paid');
  const failed = await payments.outcome('charge', () => Promise.reject(new Error('no')));
  const refused = await payments.outcome('charge', () => 'never');
  console.log(
    JSON.stringify({
      value,
      failed: failed.outcome,
      attempts: failed.attempts,
      refused: isRejection(refused.error),
    }),
  );
}

main();
