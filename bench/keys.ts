import { guard } from 'keelson';

/** What ten thousand keys of one guard cost. Run with --expose-gc; `npm run bench:keys` does. */
const KEYS = 10_000;

function heapAfterCollection(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const hosts = guard('hosts', {
  retry: { budget: {} },
  breaker: { failureRate: 0.5, window: '10s' },
  bulkhead: { concurrent: 10, queue: 20, queueTimeout: '1s' },
  timeout: { attempt: '1s', total: '10s' },
  keys: { max: KEYS },
});

const before = heapAfterCollection();
for (let i = 0; i < KEYS; i += 1) await hosts.for(`host-${i}.example.com`).run('get', async () => i);
const bytes = (heapAfterCollection() - before) / KEYS;
const timers = process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

console.log(`${KEYS} keys with retry budget, time window, bulkhead and timeouts`);
console.log(`memory ${(bytes / 1_024).toFixed(1)} KiB a key`);
console.log(`timers that keep the process alive ${timers}`);
