import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { RejectedError } from '../src/core/errors.ts';
import { OptionChecker } from '../src/core/options.ts';
import { systemClock } from '../src/core/time/clock.ts';
import type { LimiterStore, ResolvedRateLimit } from '../src/policies/rate-limit/index.ts';
import { redisStore } from '../src/policies/rate-limit/index.ts';
import { limiterFor } from '../src/policies/rate-limit/limiter-for.ts';
import { resolveRateLimit } from '../src/policies/rate-limit/options.ts';
import { RateLimiter } from '../src/policies/rate-limit/rate-limiter.ts';
import type { TestServer } from '../test/servers/servers.ts';
import { startRedis } from '../test/servers/servers.ts';
import type { Benchmark, Variant } from './harness.ts';
import { runBenchmark } from './harness.ts';

/** The variants named `x100` do so many acquires in each call, so that the harness's own await does not count. */
const BATCH = 100;
/** Questions under way at once, for the variants that ask a server. */
const IN_FLIGHT = 100;
/** Where the children find the server that the parent has started. */
const ADDRESS = 'KEELSON_BENCH_REDIS';
const KEYS = Array.from({ length: 10_000 }, (_, i) => `tenant-${i}`);

/** A bucket that is never used up. */
function plenty(store?: LimiterStore): ResolvedRateLimit {
  const options = {
    algorithm: 'bucket',
    limit: 1_000_000,
    per: '1ms',
    storeTimeout: '5s',
    ...(store ? { store } : {}),
  } as const;
  return resolveRateLimit(options, new OptionChecker('bench'));
}

/** A window of 1,000 that is always full, and never refuses: its period is shorter than a thousand acquires take. Below what users may set. */
function fullWindow(): ResolvedRateLimit {
  const options = resolveRateLimit({ limit: 1_000, per: 1 }, new OptionChecker('bench'));
  return { ...options, perMs: 0.001 };
}

async function clockRead(): Promise<() => Promise<unknown>> {
  let sum = 0;
  return async () => {
    for (let i = 0; i < BATCH; i += 1) sum += systemClock.now();
    return sum;
  };
}

async function limiter(options: ResolvedRateLimit): Promise<() => Promise<unknown>> {
  const ours = new RateLimiter(options, systemClock);
  let waitMs = 0;
  return async () => {
    for (let i = 0; i < BATCH; i += 1) waitMs += ours.tryAcquire(systemClock.now());
    if (waitMs > 0) throw new Error('The limit was used up.');
  };
}

/** Awaited at every acquire, as its peer has to be. */
async function limiterAwaited(options: ResolvedRateLimit): Promise<() => Promise<unknown>> {
  const ours = new RateLimiter(options, systemClock);
  return async () => {
    // oxlint-disable-next-line typescript/await-thenable -- what it costs to await it is what is measured
    for (let i = 0; i < BATCH; i += 1) await ours.enter(systemClock.now());
  };
}

async function peer(): Promise<() => Promise<unknown>> {
  const theirs = new RateLimiterMemory({ points: 1e12, duration: 1_000 });
  return async () => {
    for (let i = 0; i < BATCH; i += 1) await theirs.consume('k');
  };
}

/** Repeats `ask` with so many answers outstanding: each call waits for the oldest and asks once more. */
function inFlight(ask: () => Promise<unknown>): () => Promise<unknown> {
  const asked = Array.from({ length: IN_FLIGHT }, ask);
  let oldest = 0;
  return async () => {
    const slot = oldest;
    oldest = (oldest + 1) % IN_FLIGHT;
    await asked[slot];
    asked[slot] = ask();
  };
}

async function connected(): Promise<Redis> {
  const client = new Redis(process.env[ADDRESS] ?? '', { lazyConnect: true });
  await client.connect();
  return client;
}

const onServer: Readonly<Record<string, Variant>> = {
  'redis.ping': async () => {
    const client = await connected();
    return inFlight(() => client.ping());
  },
  'redis.store': async () => {
    const store = redisStore({ client: await connected() });
    const rate = plenty();
    return inFlight(() => store.take('k', rate));
  },
  'redis.window': async () => {
    const store = redisStore({ client: await connected() });
    return inFlight(async () => store.takeFromWindow?.('w', { limit: 10_000, perMs: 1 }));
  },
  'redis.store.keys': async () => {
    const store = redisStore({ client: await connected() });
    const rate = plenty();
    let next = 0;
    return inFlight(() => store.take(KEYS[(next += 1) % KEYS.length] ?? '', rate));
  },
  'redis.limiter': async () => {
    const ours = limiterFor(plenty(redisStore({ client: await connected() })), systemClock, { key: 'k' });
    return inFlight(async () => {
      const entry = ours.enter(systemClock.now());
      if (entry === undefined || entry instanceof RejectedError) throw new Error('The store was not asked.');
      await entry.granted;
    });
  },
};

/** Starts Redis for the children. A machine without it measures what needs no server, and says so. */
async function server(): Promise<TestServer | undefined> {
  try {
    return await startRedis();
  } catch (error) {
    console.error(`Without the ratios of the shared limiter: ${(error as Error).message}`);
    return undefined;
  }
}

const isChild = process.argv.includes('--variant') || process.argv.includes('--help');
const redis = isChild ? undefined : await server();
if (redis) process.env[ADDRESS] = redis.url;

const benchmark: Benchmark = {
  file: fileURLToPath(import.meta.url),
  variants: {
    'clock.x100': clockRead,
    'limiter.x100': () => limiter(fullWindow()),
    'limiter.awaited.x100': () => limiterAwaited(fullWindow()),
    'bucket.x100': () => limiter(plenty()),
    'bucket.awaited.x100': () => limiterAwaited(plenty()),
    'flexible.x100': peer,
    ...(process.env[ADDRESS] === undefined ? {} : onServer),
  },
  goals: [
    { over: 'limiter.x100', under: 'clock.x100', atMost: 2 },
    { over: 'limiter.x100', under: 'flexible.x100', atMost: 0.5 },
    { over: 'limiter.awaited.x100', under: 'flexible.x100' },
    { over: 'bucket.x100', under: 'clock.x100', atMost: 1.5 },
    { over: 'bucket.x100', under: 'flexible.x100', atMost: 0.5 },
    { over: 'bucket.awaited.x100', under: 'flexible.x100' },
    // 0.85 of the throughput of PING.
    { over: 'redis.limiter', under: 'redis.ping', atMost: 1 / 0.85 },
    { over: 'redis.store', under: 'redis.ping' },
    { over: 'redis.window', under: 'redis.ping' },
    // Each of another key: nothing to ask together.
    { over: 'redis.store.keys', under: 'redis.ping' },
  ],
};

await runBenchmark(benchmark);
await redis?.[Symbol.asyncDispose]();
