/**
 * A service whose metrics go both ways: over OTLP, and to whoever scrapes it. Started with `--import keelson/register`. It has every kind of
 * guard, incoming and outgoing HTTP, and instruments with names, units and keys that put the translation to the test.
 */
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { metrics } from '@opentelemetry/api';
import { type CacheTier, createKeelson, type LimiterStore } from 'keelson';
import { ODD_INSTRUMENTS } from './odd-instruments.ts';

const ROUNDS = 20;

/** Shared with nobody, but there: a guard tells of a store and of a second tier only where it has them. */
const store: LimiterStore = {
  take: async () => ({ granted: true, retryAfterMs: 0, remaining: 1 }),
  close: async () => {},
};
const secondTier: CacheTier = { get: async () => undefined, set: async () => {}, delete: async () => {} };

const keelson = createKeelson();
const payments = keelson.guard('payments', {
  retry: { retries: 1, delay: '5ms' },
  breaker: { failures: 1_000 },
  bulkhead: { concurrent: 1, queue: 4, queueTimeout: '1s' },
  timeout: { attempt: '1s', total: '5s' },
  rateLimit: { algorithm: 'bucket', limit: 10_000, per: '1s', store },
  cache: { ttl: '1s', secondTier },
  fallback: { value: 0, when: () => false },
  keys: { max: 2 },
});

const meter = metrics.getMeter('odd');
for (const { kind, name, unit, attributes } of ODD_INSTRUMENTS) {
  const options = { unit };
  if (kind === 'counter') meter.createCounter(name, options).add(1, attributes);
  if (kind === 'updowncounter') meter.createUpDownCounter(name, options).add(1, attributes);
  if (kind === 'gauge') meter.createGauge(name, options).record(1, attributes);
  if (kind === 'histogram') meter.createHistogram(name, options).record(1, attributes);
}

const server = createServer((_request, response) => response.end('ok'));
await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', () => resolve());
});
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

async function overHttp(): Promise<void> {
  await new Promise((resolve) => get(address, (response) => response.resume().on('end', resolve)));
}

for (let round = 0; round < ROUNDS; round += 1) {
  await Promise.all([
    payments.outcome('charge', async () => (await fetch(address)).text()),
    payments.outcome('refund', overHttp),
    payments.outcome('refuse', async () => {
      throw new Error('refused');
    }),
    payments.outcome('look', async () => 1, { cacheKey: 'shelf' }),
    payments.for('north').outcome('charge', async () => 1),
  ]);
}
console.log('done');
