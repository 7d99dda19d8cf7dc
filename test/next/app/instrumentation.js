// Next.js runs this once, in a bundle of its own, before the first request. It also builds it for the Edge runtime, for which the condition leaves
// nothing of it.
export async function register() {
  if (process.env.NEXT_RUNTIME === 'nodejs') {
    const { payments } = await import('./services/payments.js');
    await payments.run('warm up', async () => 'warm');
  }
}
