import { fileURLToPath } from 'node:url';
import { guard } from 'keelson';
import { LRUCache } from 'lru-cache';
import { OptionChecker } from '../src/core/options.ts';
import { systemClock } from '../src/core/time/clock.ts';
import { Cache } from '../src/policies/cache/index.ts';
import { resolveCache } from '../src/policies/cache/options.ts';
import type { Benchmark } from './harness.ts';
import { runBenchmark } from './harness.ts';

const KEYS = Array.from({ length: 1_000 }, (_, index) => `user:${index}`);
const VALUE = { a: 1, b: 'x'.repeat(200) };
const MAX_ENTRIES = 2_000;

/** Gives the keys one after the other, for ever. */
function keys(): () => string {
  let next = 0;
  return () => {
    next = (next + 1) % KEYS.length;
    return KEYS[next] ?? '';
  };
}

/** The least that a cached value costs in an async function: the lookup, a look at the clock, and an await. */
async function lruCache(): Promise<() => Promise<unknown>> {
  const entries = new LRUCache<string, { readonly value: unknown; readonly freshUntil: number }>({
    max: MAX_ENTRIES,
  });
  for (const key of KEYS) entries.set(key, { value: VALUE, freshUntil: systemClock.now() + 3_600_000 });
  const nextKey = keys();
  return async () => {
    const entry = entries.get(nextKey());
    const now = systemClock.now();
    return entry && now < entry.freshUntil ? entry.value : undefined;
  };
}

async function filled(): Promise<Cache> {
  const cache = new Cache(
    resolveCache({ ttl: '1h', maxEntries: MAX_ENTRIES }, new OptionChecker('cache')),
    systemClock,
    Math.random,
  );
  for (const key of KEYS) await cache.through(key, () => VALUE);
  return cache;
}

async function bentocache(): Promise<() => Promise<unknown>> {
  const { BentoCache, bentostore } = await import('bentocache');
  const { memoryDriver } = await import('bentocache/drivers/memory');
  const bento = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: MAX_ENTRIES })) },
  });
  for (const key of KEYS) await bento.set({ key, value: VALUE, ttl: '1h' });
  const nextKey = keys();
  return () => bento.getOrSet({ key: nextKey(), ttl: '1h', factory: () => VALUE });
}

/** A hit through the whole guard, counted and reported. */
async function guarded(): Promise<() => Promise<unknown>> {
  const users = guard('users', { cache: { ttl: '1h', maxEntries: MAX_ENTRIES } });
  const load = async (): Promise<typeof VALUE> => VALUE;
  const options = KEYS.map((cacheKey) => ({ cacheKey }));
  for (const option of options) await users.run('get', load, option);
  let next = 0;
  return () => {
    next = (next + 1) % options.length;
    return users.run('get', load, options[next]);
  };
}

const benchmark: Benchmark = {
  file: fileURLToPath(import.meta.url),
  variants: {
    'lru-cache': lruCache,
    'cache.fresh': async () => {
      const cache = await filled();
      const nextKey = keys();
      return async () => cache.fresh(nextKey(), systemClock.now())?.value;
    },
    'cache.through': async () => {
      const cache = await filled();
      const nextKey = keys();
      return () => cache.through(nextKey(), () => VALUE);
    },
    'guard.run': guarded,
    bentocache,
  },
  goals: [
    { over: 'guard.run', under: 'lru-cache', atMost: 1.5 },
    { over: 'guard.run', under: 'bentocache', atMost: 0.25 },
    { over: 'cache.fresh', under: 'lru-cache', atMost: 1.5 },
    { over: 'cache.fresh', under: 'bentocache', atMost: 0.25 },
    { over: 'cache.through', under: 'lru-cache' },
    { over: 'cache.through', under: 'bentocache' },
  ],
};

await runBenchmark(benchmark);
