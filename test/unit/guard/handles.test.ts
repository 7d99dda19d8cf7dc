import { describe, expect, test } from 'vitest';
import { cache, ConfigError, createKeelson, rateLimit } from '../../../src/index.ts';
import type { CacheTier, Guard, GuardOptions, LimiterStore, Taken, TierEntry } from '../../../src/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { failing } from '../../support/failing.ts';

const clock = new FakeClock();

function guardWith(options: GuardOptions): Guard {
  return createKeelson({ clock, random: () => 0.5, warn: () => {} }).guard('payments', options);
}

/** Everything that can be reached on a handle, its prototype included. */
function membersOf(handle: object | undefined): string[] {
  if (!handle || handle === Object.prototype) return [];
  const inherited = Object.getPrototypeOf(handle) as object | null;
  return [...Object.getOwnPropertyNames(handle), ...membersOf(inherited ?? undefined)].toSorted();
}

describe('the handle of a breaker', () => {
  test('has exactly the members that the README documents', () => {
    expect(membersOf(guardWith({ breaker: {} }).breaker)).toEqual(
      ['state', 'retryAfterMs', 'forceOpen', 'disable', 'reset', 'toJSON', 'restore'].toSorted(),
    );
  });

  test('goes on working after an update, and does nothing once the breaker is gone', async () => {
    const guard = guardWith({ breaker: { failures: 1 } });
    const { breaker } = guard;
    guard.update({ breaker: { failures: 2 } });
    breaker?.forceOpen();
    expect(await guard.outcome('charge', async () => 1)).toMatchObject({ outcome: 'rejected' });
    guard.update({});
    expect(guard.breaker).toBeUndefined();
    breaker?.forceOpen();
    breaker?.reset();
    breaker?.disable();
    expect(breaker).toMatchObject({ state: 'disabled', retryAfterMs: undefined });
    breaker?.restore(breaker.toJSON());
    expect(await guard.run('charge', async () => 1)).toBe(1);
  });

  test('is not there for a guard without a breaker', () => {
    expect(guardWith({}).breaker).toBeUndefined();
  });
});

describe('the handle of a cache', () => {
  test('has exactly the members that the README documents', () => {
    const members = ['get', 'set', 'delete', 'clear', 'stats'].toSorted();
    expect(membersOf(guardWith({ cache: { ttl: '1m' } }).cache)).toEqual(members);
    expect(membersOf(cache({ ttl: '1m', key: () => 'all' }).cache)).toEqual(members);
    expect(guardWith({}).cache).toBeUndefined();
  });

  test('reads what a call has stored, and a call gets what the handle has stored', async () => {
    const guard = guardWith({ cache: { ttl: '1m' } });
    expect(await guard.cache?.get('list', 'a')).toBeUndefined();
    await guard.run('list', async () => 'loaded', { cacheKey: 'a' });
    expect(await guard.cache?.get('list', 'a')).toBe('loaded');
    expect(await guard.cache?.get('find', 'a')).toBeUndefined();
    await guard.cache?.set('list', 'b', 'by hand');
    const never = failing(1);
    expect(await guard.run('list', never, { cacheKey: 'b' })).toBe('by hand');
    expect(never.executions).toBe(0);
    await guard.cache?.delete('list', 'b');
    expect(await guard.cache?.get('list', 'b')).toBeUndefined();
    guard.cache?.clear();
    expect(await guard.cache?.get('list', 'a')).toBeUndefined();
    expect(guard.cache?.stats()).toMatchObject({
      entries: 0,
      requests: { hit: 2, miss: 5, stale: 0 },
      tierFailures: 0,
    });
  });

  test('gives a stale value only to who allows it, and only while it may be served', async () => {
    const guard = guardWith({ cache: { ttl: '1m', jitter: 0, staleIfError: '1h' } });
    await guard.cache?.set('list', 'a', 'old', { ttl: '10s' });
    await clock.advance(10_000);
    expect(await guard.cache?.get('list', 'a')).toBeUndefined();
    expect(await guard.cache?.get('list', 'a', { allowStale: true })).toBe('old');
    await clock.advance(3_600_000);
    expect(await guard.cache?.get('list', 'a', { allowStale: true })).toBeUndefined();
  });

  test('never gives a remembered error', async () => {
    const guard = guardWith({ cache: { ttl: '1m', negativeTtl: '1m' } });
    await guard.outcome('list', failing(1), { cacheKey: 'a' });
    expect(await guard.cache?.get('list', 'a', { allowStale: true })).toBeUndefined();
  });

  test('lets a load that is running go on, and keeps the value that was set meanwhile', async () => {
    const guard = guardWith({ cache: { ttl: '1m' } });
    const { promise, resolve } = Promise.withResolvers<string>();
    const run = guard.run('list', () => promise, { cacheKey: 'a' });
    await guard.cache?.set('list', 'a', 'newer');
    resolve('older');
    expect(await run).toBe('older');
    expect(await guard.cache?.get('list', 'a')).toBe('newer');
  });

  test('shares values through the second tier', async () => {
    const texts = new Map<string, string>();
    const secondTier: CacheTier = {
      get: async (key): Promise<TierEntry | undefined> => {
        const text = texts.get(key);
        return text === undefined ? undefined : { text, remainingMs: 60_000 };
      },
      set: async (key, text) => void texts.set(key, text),
      delete: async (key) => void texts.delete(key),
    };
    const options = { cache: { ttl: '1m', jitter: 0, secondTier } } as const;
    const [one, other] = [guardWith(options), guardWith(options)];
    await one.cache?.set('list', 'a', ['shared']);
    expect(await other.cache?.get('list', 'a')).toEqual(['shared']);
    expect(await other.run('list', failing(1), { cacheKey: 'a' })).toEqual(['shared']);
    await one.cache?.delete('list', 'a');
    expect(texts.size).toBe(0);
  });

  test('refuses a `ttl` that is no duration, and does nothing once the cache is gone', async () => {
    const guard = guardWith({ cache: { ttl: '1m' } });
    const handle = guard.cache;
    await expect(handle?.set('list', 'a', 1, { ttl: 'soon' as never })).rejects.toThrow(ConfigError);
    await expect(handle?.set('list', 'a', 1, { TTL: '1s' } as never)).rejects.toThrow(/Did you mean `ttl`\?/);
    guard.update({});
    await handle?.set('list', 'a', 1);
    await handle?.delete('list', 'a');
    handle?.clear();
    expect([await handle?.get('list', 'a'), handle?.stats().entries]).toEqual([undefined, 0]);
  });
});

/** A store of one bucket, which grants as often as there are tokens. */
class SmallStore implements LimiterStore {
  tokens = 2;
  isAway = false;

  async take(): Promise<Taken> {
    if (this.isAway) throw new Error('The store is away.');
    const granted = this.tokens > 0;
    if (granted) this.tokens -= 1;
    return { granted, retryAfterMs: granted ? 0 : 30_000, remaining: this.tokens };
  }

  async close(): Promise<void> {}
}

describe('the handle of a rate limit', () => {
  test('has exactly the members that the README documents', () => {
    const members = ['acquire', 'available', 'reset', 'tryAcquire'];
    expect(membersOf(guardWith({ rateLimit: { limit: 1, per: '1m' } }).limiter)).toEqual(members);
    expect(membersOf(rateLimit({ limit: 1, per: '1m' }).limiter)).toEqual(members);
    expect(guardWith({}).limiter).toBeUndefined();
  });

  test('takes tokens that the calls of the guard then lack', async () => {
    const guard = guardWith({ rateLimit: { limit: 2, per: '1m' } });
    expect(await guard.limiter?.available()).toBe(2);
    await guard.limiter?.acquire();
    expect(await guard.limiter?.tryAcquire()).toBe(true);
    expect(await guard.limiter?.tryAcquire()).toBe(false);
    await expect(guard.limiter?.acquire()).rejects.toMatchObject({
      code: 'ERR_KEELSON_RATE_LIMITED',
      retryAfterMs: 60_000,
    });
    expect(await guard.outcome('charge', async () => 1)).toMatchObject({ outcome: 'rejected' });
    await clock.advance(60_000);
    expect(await guard.limiter?.available()).toBe(2);
  });

  test('waits for a token up to `maxWait`, and not at all where it only tries', async () => {
    const guard = guardWith({ rateLimit: { limit: 1, per: '1s', maxWait: '5s' } });
    await guard.limiter?.acquire();
    expect(await guard.limiter?.tryAcquire()).toBe(false);
    const turns: string[] = [];
    const waiting = guard.limiter?.acquire().then(() => turns.push('second'));
    const controller = new AbortController();
    const leaving = guard.limiter?.acquire({ signal: controller.signal });
    controller.abort('left');
    await expect(leaving).rejects.toBe('left');
    expect(turns).toEqual([]);
    await clock.advance(1_000);
    await waiting;
    expect(turns).toEqual(['second']);
  });

  test('asks the shared store, and says no if that is away and calls are refused', async () => {
    const store = new SmallStore();
    const guard = guardWith({
      rateLimit: {
        algorithm: 'bucket',
        limit: 2,
        per: '1m',
        maxWait: '5m',
        store,
        onStoreFailure: 'failClosed',
      },
    });
    expect(await guard.limiter?.tryAcquire()).toBe(true);
    expect(await guard.limiter?.available()).toBe(1);
    await guard.limiter?.acquire();
    expect(await guard.limiter?.tryAcquire()).toBe(false);
    store.isAway = true;
    expect(await guard.limiter?.tryAcquire()).toBe(false);
    await expect(guard.limiter?.acquire()).rejects.toMatchObject({ code: 'ERR_KEELSON_RATE_LIMIT_STORE' });
  });

  test.each([
    ['failOpen', [true, true, true]],
    ['localShare', [true, true, false]],
  ] as const)('goes by `onStoreFailure: %s` if the store is away', async (onStoreFailure, answers) => {
    const store = new SmallStore();
    store.isAway = true;
    const guard = guardWith({
      rateLimit: { algorithm: 'bucket', limit: 2, per: '1m', maxWait: '5m', store, onStoreFailure },
    });
    const got: unknown[] = [];
    for (const _ of answers) got.push(await guard.limiter?.tryAcquire());
    expect(got).toEqual(answers);
  });

  test('lets everything through once the limit is gone', async () => {
    const guard = guardWith({ rateLimit: { limit: 1, per: '1m' } });
    const { limiter } = guard;
    guard.update({});
    await limiter?.acquire();
    expect([await limiter?.tryAcquire(), await limiter?.available()]).toEqual([
      true,
      Number.POSITIVE_INFINITY,
    ]);
  });
});
