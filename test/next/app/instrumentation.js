// Next.js runs this once, in a bundle of its own, before the first request.
export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return;
  const { payments } = await import('./services/payments.js');
  await payments.run('warm up', async () => 'warm');
}
