import { describe, expect, test } from 'vitest';
import { RejectedError } from '../../../../src/core/errors.ts';
import { settlePromises } from '../../../../src/testing/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { buildCache, shown, source } from './build-cache.ts';

const DOWN = new Error('down');

describe('stale-while-revalidate', () => {
  test('serves the stale value at once while one load refreshes it', async () => {
    const { cache, clock } = buildCache({ staleWhileRevalidate: 500 });
    const load = source();
    await cache.through('a', load);
    await clock.advance(1_200);
    const all = await Promise.all([1, 2, 3].map(() => cache.through('a', load)));
    expect(all.map(shown)).toEqual(['stale v1 1200', 'stale v1 1200', 'stale v1 1200']);
    expect(all[0]).toMatchObject({ origin: 'stale', error: undefined });
    expect([load.loads, cache.refreshes]).toEqual([2, 1]);
    expect(shown(await cache.through('a', load))).toBe('hit v2 0');
    expect(cache.counts).toMatchObject({ miss: 1, stale: 3, hit: 1 });
  });

  test('ends at its bound: then callers wait', async () => {
    const { cache, clock } = buildCache({ staleWhileRevalidate: 500 });
    const load = source();
    await cache.through('a', load);
    await clock.advance(1_499);
    const gate = deferred<string>();
    expect(shown(await cache.through('a', () => gate.promise))).toBe('stale v1 1499');
    await clock.advance(1);
    const leader = cache.through('a', load);
    gate.resolve('refreshed');
    expect(shown(await leader)).toBe('coalesced refreshed 0');
    expect(load.loads).toBe(1);
  });

  test('backs off after a refresh that failed, and tells why the value is stale', async () => {
    const { cache, clock } = buildCache({ staleWhileRevalidate: '1m', retrySourceAfter: 300 });
    const load = source();
    await cache.through('a', load);
    await clock.advance(1_000);
    load.error = DOWN;
    expect(await cache.through('a', load)).toMatchObject({ result: 'stale', error: undefined });
    await settlePromises();
    expect([load.loads, cache.refreshFailures]).toEqual([2, 1]);
    await clock.advance(299);
    expect(await cache.through('a', load)).toMatchObject({ result: 'stale', error: DOWN });
    expect(load.loads).toBe(2);
    await clock.advance(1);
    await cache.through('a', load);
    expect(load.loads).toBe(3);
    load.error = undefined;
    await clock.advance(300);
    await cache.through('a', load);
    await settlePromises();
    expect(shown(await cache.through('a', load))).toBe('hit v4 0');
  });

  test('survives a refresh that throws at once', async () => {
    const { cache, clock } = buildCache({ staleWhileRevalidate: 500 });
    await cache.through('a', source());
    await clock.advance(1_000);
    const load = (): never => {
      throw DOWN;
    };
    expect(shown(await cache.through('a', load))).toBe('stale v1 1000');
    await settlePromises();
    expect([cache.refreshFailures, cache.loading]).toEqual([1, 0]);
  });

  test('goes on refreshing when those who joined the refresh have gone', async () => {
    const { cache, clock } = buildCache({ staleWhileRevalidate: 500 });
    await cache.through('a', source());
    await clock.advance(1_400);
    const gate = deferred<string>();
    let signal: AbortSignal | undefined;
    await cache.through('a', (given) => {
      signal = given;
      return gate.promise;
    });
    await clock.advance(100);
    const controller = new AbortController();
    const joined = cache.through('a', source(), { signal: controller.signal });
    controller.abort('left');
    await expect(joined).rejects.toBe('left');
    expect(signal?.aborted).toBe(false);
    gate.resolve('refreshed');
    await settlePromises();
    expect(shown(await cache.through('a', source()))).toBe('hit refreshed 0');
  });
});

describe('stale-if-error', () => {
  test('serves the stale value where loading fails, with the error and the age', async () => {
    const { cache, clock } = buildCache({ staleIfError: 2_000 });
    const load = source();
    await cache.through('a', load);
    await clock.advance(1_500);
    load.error = DOWN;
    expect(await cache.through('a', load)).toEqual({
      result: 'stale_error',
      value: 'v1',
      origin: 'stale',
      ageMs: 1_500,
      error: DOWN,
      leader: undefined,
    });
    expect(load.loads).toBe(2);
  });

  test('leaves the source alone for a while, then asks once, whoever calls', async () => {
    const { cache, clock } = buildCache({ staleIfError: '1m', retrySourceAfter: 500 });
    const load = source();
    await cache.through('a', load);
    await clock.advance(1_000);
    load.error = DOWN;
    const first = await Promise.all([1, 2, 3].map(() => cache.through('a', load)));
    expect(first.map(({ result }) => result)).toEqual(['stale_error', 'stale_error', 'stale_error']);
    expect(load.loads).toBe(2);
    for (let call = 0; call < 100; call += 1) await cache.through('a', load);
    expect(load.loads).toBe(2);
    await clock.advance(500);
    await Promise.all([1, 2, 3].map(() => cache.through('a', load)));
    expect(load.loads).toBe(3);
    expect(cache.counts).toMatchObject({ miss: 1, stale_error: 106 });
  });

  test('ends at its bound: then callers get the error', async () => {
    const { cache, clock } = buildCache({ staleIfError: 500 });
    const load = source();
    await cache.through('a', load);
    load.error = DOWN;
    await clock.advance(1_499);
    expect(shown(await cache.through('a', load))).toBe('stale_error v1 1499');
    await clock.advance(1);
    await expect(cache.through('a', load)).rejects.toBe(DOWN);
    expect([load.loads, cache.entries]).toEqual([3, 0]);
  });

  test('is judged when the load fails, not when it begins', async () => {
    const { cache, clock } = buildCache({ staleIfError: 500 });
    await cache.through('a', source());
    await clock.advance(1_400);
    const gate = deferred<string>();
    const waiting = cache.through('a', () => gate.promise);
    await clock.advance(100);
    gate.reject(DOWN);
    await expect(waiting).rejects.toBe(DOWN);
  });

  test('stands in for a refusal of the guard too, such as an open circuit', async () => {
    const { cache, clock } = buildCache({ staleIfError: 500, negativeTtl: '1m' });
    const load = source();
    await cache.through('a', load);
    await clock.advance(1_000);
    load.error = new RejectedError('ERR_KEELSON_BREAKER_OPEN', 'open', 'The circuit is open.');
    expect(await cache.through('a', load)).toMatchObject({ result: 'stale_error', error: load.error });
  });

  test('begins where the ttl ends, whatever the other window says', async () => {
    const { cache, clock } = buildCache({ staleWhileRevalidate: 200, staleIfError: 400 });
    const load = source();
    await cache.through('a', load);
    load.error = DOWN;
    const seen: string[] = [];
    for (const at of [1_000, 1_199, 1_200, 1_399]) {
      await clock.advance(at - clock.now());
      seen.push(shown(await cache.through('a', load)));
    }
    expect(seen).toEqual(['stale v1 1000', 'stale v1 1199', 'stale_error v1 1200', 'stale_error v1 1399']);
    await clock.advance(1);
    await expect(cache.through('a', load)).rejects.toBe(DOWN);
  });
});

describe('a failing source without a stale value', () => {
  test('is asked once at a time, however many ask', async () => {
    const { cache } = buildCache();
    const gate = deferred<string>();
    let loads = 0;
    const load = (): Promise<string> => {
      loads += 1;
      return gate.promise;
    };
    const all = Promise.allSettled(Array.from({ length: 20 }, () => cache.through('a', load)));
    gate.reject(DOWN);
    expect((await all).every(({ status }) => status === 'rejected')).toBe(true);
    expect(loads).toBe(1);
  });
});

describe('remembered errors', () => {
  test('are given to the next callers until their time is over', async () => {
    const { cache, clock } = buildCache({ negativeTtl: 400 });
    const load = source();
    load.error = DOWN;
    await expect(cache.through('a', load)).rejects.toBe(DOWN);
    await clock.advance(399);
    expect(await cache.through('a', load)).toEqual({
      result: 'negative',
      origin: 'cache',
      error: DOWN,
      ageMs: 399,
    });
    expect(load.loads).toBe(1);
    await clock.advance(1);
    load.error = undefined;
    expect(shown(await cache.through('a', load))).toBe('miss v2 0');
    expect(cache.counts).toMatchObject({ miss: 2, negative: 1 });
  });

  test('are off by default', async () => {
    const { cache } = buildCache();
    const load = source();
    load.error = DOWN;
    await expect(cache.through('a', load)).rejects.toBe(DOWN);
    await expect(cache.through('a', load)).rejects.toBe(DOWN);
    expect([load.loads, cache.entries]).toEqual([2, 0]);
  });

  test("are never a guard's own rejections", async () => {
    const { cache } = buildCache({ negativeTtl: '1m', negativeIf: () => true });
    const load = source();
    load.error = new RejectedError('ERR_KEELSON_BULKHEAD_FULL', 'full', 'All slots are in use.');
    await expect(cache.through('a', load)).rejects.toBe(load.error);
    await expect(cache.through('a', load)).rejects.toBe(load.error);
    expect([load.loads, cache.entries]).toEqual([2, 0]);
  });

  test('yield to a stale value where nothing says which errors are answers', async () => {
    const { cache, clock } = buildCache({ negativeTtl: '1m', staleIfError: 500 });
    const load = source();
    await cache.through('a', load);
    load.error = DOWN;
    await clock.advance(1_000);
    expect(shown(await cache.through('a', load))).toBe('stale_error v1 1000');
  });

  test('that are answers replace a stale value; others do not, and are not remembered', async () => {
    const gone = new Error('gone');
    const { cache, clock } = buildCache({
      negativeTtl: '1m',
      negativeIf: (error) => error === gone,
      staleIfError: '1m',
      retrySourceAfter: 0,
    });
    const load = source();
    await cache.through('a', load);
    await clock.advance(1_000);
    load.error = DOWN;
    expect(shown(await cache.through('a', load))).toBe('stale_error v1 1000');
    await expect(cache.through('b', load)).rejects.toBe(DOWN);
    await expect(cache.through('b', load)).rejects.toBe(DOWN);
    load.error = gone;
    await expect(cache.through('a', load)).rejects.toBe(gone);
    expect(shown(await cache.through('a', load))).toBe('negative gone 0');
    expect(load.loads).toBe(5);
  });

  test('are not kept where the filter throws', async () => {
    const { cache } = buildCache({
      negativeTtl: '1m',
      negativeIf: () => {
        throw new Error('a filter that throws');
      },
    });
    await expect(cache.through('a', () => Promise.reject(DOWN))).rejects.toBe(DOWN);
    expect(cache.entries).toBe(0);
  });
});
