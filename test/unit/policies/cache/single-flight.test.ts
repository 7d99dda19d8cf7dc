import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { settlePromises } from '../../../../src/testing/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { buildCache, shown, source } from './build-cache.ts';

/** A load that the test ends, and that notes how its signal was aborted. */
function gated(): {
  load: (signal: AbortSignal) => Promise<string>;
  gate: ReturnType<typeof deferred<string>>;
  aborts: unknown[];
  loads: () => number;
} {
  const gate = deferred<string>();
  const aborts: unknown[] = [];
  let loads = 0;
  const load = (signal: AbortSignal): Promise<string> => {
    loads += 1;
    signal.addEventListener('abort', () => aborts.push(signal.reason));
    return gate.promise;
  };
  return { load, gate, aborts, loads: () => loads };
}

describe('callers of one key', () => {
  test('share one load', async () => {
    const { cache } = buildCache();
    const { load, gate, loads } = gated();
    const all = Array.from({ length: 50 }, () => cache.through('a', load));
    expect(cache.loading).toBe(1);
    gate.resolve('v');
    const results = await Promise.all(all);
    expect(loads()).toBe(1);
    expect(results.filter(({ result }) => result === 'miss')).toHaveLength(1);
    expect(results.filter(({ result }) => result === 'coalesced')).toHaveLength(49);
    expect(cache.counts).toMatchObject({ miss: 1, coalesced: 49 });
    expect(cache.loading).toBe(0);
  });

  test('share its failure, and the next one loads again', async () => {
    const { cache } = buildCache();
    const load = source();
    load.error = new Error('down');
    const both = await Promise.allSettled([cache.through('a', load), cache.through('a', load)]);
    expect(both).toEqual([
      { status: 'rejected', reason: load.error },
      { status: 'rejected', reason: load.error },
    ]);
    expect(load.loads).toBe(1);
    expect(cache.counts).toMatchObject({ miss: 1, coalesced: 1 });
    await expect(cache.through('a', load)).rejects.toBe(load.error);
    expect(load.loads).toBe(2);
  });

  test('share a load that throws at once', async () => {
    const { cache } = buildCache();
    const error = new Error('thrown at once');
    const load = (): never => {
      throw error;
    };
    await expect(cache.through('a', load)).rejects.toBe(error);
    expect([cache.loading, cache.entries, cache.counts.miss]).toEqual([0, 0, 1]);
  });

  test('keep their own async context', async () => {
    const { cache } = buildCache();
    const storage = new AsyncLocalStorage<string>();
    const { load, gate } = gated();
    const seen: (string | undefined)[] = [];
    const ask = (caller: string): Promise<void> =>
      storage.run(caller, async () => {
        await cache.through('a', load, { signal: new AbortController().signal });
        seen.push(`${caller}${storage.getStore()}`);
      });
    const all = ['A', 'B', 'C'].map(ask);
    gate.resolve('v');
    await Promise.all(all);
    expect(seen).toEqual(['AA', 'BB', 'CC']);
  });

  test('learn who runs the load that they join', async () => {
    const { cache } = buildCache();
    const { load, gate } = gated();
    const leader = { name: 'first', signal: undefined };
    const joined: unknown[] = [];
    const first = cache.through('a', load, leader);
    const second = cache.through('a', load, { joined: (other) => joined.push(other) });
    expect(joined).toEqual([leader]);
    gate.resolve('v');
    expect(await second).toMatchObject({ result: 'coalesced', leader });
    expect(await first).toMatchObject({ result: 'miss', leader: undefined });
  });
});

describe('a caller that gives up', () => {
  test('goes alone: the load and the others go on', async () => {
    const { cache } = buildCache();
    const { load, gate, aborts } = gated();
    const controller = new AbortController();
    const first = cache.through('a', load);
    const second = cache.through('a', load, { signal: controller.signal });
    controller.abort('left');
    await expect(second).rejects.toBe('left');
    gate.resolve('v');
    expect(shown(await first)).toBe('miss v 0');
    expect(aborts).toEqual([]);
    expect(cache.counts).toMatchObject({ miss: 1, coalesced: 1 });
  });

  test('is no longer listened to once its load is over', async () => {
    const { cache } = buildCache();
    const { signal } = new AbortController();
    await cache.through('a', source(), { signal });
    await expect(cache.through('b', () => Promise.reject(new Error('no')), { signal })).rejects.toThrow('no');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('goes alone even where it began the load', async () => {
    const { cache } = buildCache();
    const { load, gate, aborts } = gated();
    const controller = new AbortController();
    const first = cache.through('a', load, { signal: controller.signal });
    const second = cache.through('a', load);
    controller.abort('left');
    await expect(first).rejects.toBe('left');
    gate.resolve('v');
    expect(shown(await second)).toBe('coalesced v 0');
    expect(aborts).toEqual([]);
    expect(shown(await cache.through('a', load))).toBe('hit v 0');
  });

  test('ends the load where it is the last, and the next caller begins a new one', async () => {
    const { cache } = buildCache({ negativeTtl: '1m' });
    const { load, gate, aborts, loads } = gated();
    const controllers = [new AbortController(), new AbortController()];
    const both = controllers.map(({ signal }) => cache.through('a', load, { signal }));
    const ends = Promise.allSettled(both);
    controllers[0]?.abort('one');
    expect(aborts).toEqual([]);
    controllers[1]?.abort('two');
    expect(aborts).toEqual(['two']);
    expect(await ends).toEqual([
      { status: 'rejected', reason: 'one' },
      { status: 'rejected', reason: 'two' },
    ]);
    expect(cache.loading).toBe(0);
    const next = cache.through('a', load);
    expect(loads()).toBe(2);
    gate.resolve('v');
    expect(shown(await next)).toBe('miss v 0');
  });

  test('leaves nothing behind: an aborted load is neither kept nor remembered', async () => {
    const { cache } = buildCache({ negativeTtl: '1m' });
    const { load, gate } = gated();
    const controller = new AbortController();
    const only = cache.through('a', load, { signal: controller.signal });
    controller.abort('left');
    await expect(only).rejects.toBe('left');
    gate.reject(new Error('aborted'));
    await settlePromises();
    expect([cache.entries, cache.loading]).toEqual([0, 0]);
  });

  test('before it asks gets its own reason, and nothing is loaded or counted', async () => {
    const { cache } = buildCache();
    const load = source();
    await expect(cache.through('a', load, { signal: AbortSignal.abort('late') })).rejects.toBe('late');
    expect([load.loads, cache.counts.miss]).toEqual([0, 0]);
  });
});

describe('a key that is forgotten while it loads', () => {
  test('is loaded anew by the next caller, and the older value is not kept', async () => {
    const { cache } = buildCache();
    const old = gated();
    const waiting = cache.through('a', old.load);
    await cache.delete('a');
    const load = source();
    expect(shown(await cache.through('a', load))).toBe('miss v1 0');
    old.gate.resolve('before the change');
    expect(shown(await waiting)).toBe('miss before the change 0');
    expect(shown(await cache.through('a', load))).toBe('hit v1 0');
  });
});
