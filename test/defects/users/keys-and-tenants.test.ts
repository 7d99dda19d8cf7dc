import { describe, expect, test } from 'vitest';
import type { Guard, GuardOptions } from '../../../src/index.ts';
import { createKeelson } from '../../../src/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';
import { failing } from '../../support/failing.ts';

function setUp(options: GuardOptions): { guard: Guard; clock: FakeClock; warnings: string[] } {
  const clock = new FakeClock();
  const warnings: string[] = [];
  const keelson = createKeelson({ clock, random: () => 0.5, warn: (message) => warnings.push(message) });
  return { guard: keelson.guard('crm', options), clock, warnings };
}

describe('a tenant gets nothing from the cache that was loaded for another', () => {
  const profile = (guard: Guard, tenant: string): Promise<string> =>
    guard.for(tenant).run('profile', async () => `profile of ${tenant}`, { cacheKey: 'me' });

  test('by default', async () => {
    const { guard } = setUp({ cache: { ttl: '1m' } });
    expect(await Promise.all(['acme', 'globex'].map((tenant) => profile(guard, tenant)))).toEqual([
      'profile of acme',
      'profile of globex',
    ]);
    expect(await guard.for('acme').outcome('profile', () => 'again', { cacheKey: 'me' })).toMatchObject({
      value: 'profile of acme',
      origin: 'cache',
    });
  });

  test('unless the cache is shared', async () => {
    const { guard } = setUp({ cache: { ttl: '1m', shared: true } });
    await profile(guard, 'acme');
    expect(await profile(guard, 'globex')).toBe('profile of acme');
    expect(await guard.for('globex').cache?.get('profile', 'me')).toBe('profile of acme');
  });

  test('by hand, and each forgets its own values only', async () => {
    const { guard } = setUp({ cache: { ttl: '1m' } });
    const [acme, globex] = [guard.for('acme'), guard.for('globex')];
    await acme.cache?.set('profile', 'me', 'a');
    await globex.cache?.set('profile', 'me', 'g');
    await guard.cache?.set('profile', 'me', 'root');
    expect(await acme.cache?.get('profile', 'me')).toBe('a');
    acme.cache?.clear();
    expect(await acme.cache?.get('profile', 'me')).toBeUndefined();
    expect(await globex.cache?.get('profile', 'me')).toBe('g');
    await globex.cache?.delete('profile', 'me');
    expect(await globex.cache?.get('profile', 'me')).toBeUndefined();
    expect(await guard.cache?.get('profile', 'me')).toBe('root');
    guard.cache?.clear();
    expect(guard.cache?.stats().entries).toBe(0);
  });

  test('if there is no room for either of them', async () => {
    const { guard } = setUp({ cache: { ttl: '1m' }, breaker: { failures: 1 }, keys: { max: 1 } });
    await guard.for('down').outcome('list', failing(1));
    expect(await profile(guard, 'acme')).toBe('profile of acme');
    expect(await profile(guard, 'globex')).toBe('profile of globex');
  });

  test.each([
    [
      ['', 'a', 'b\u0000c'],
      ['', 'a\u0000b', 'c'],
    ],
    [
      ['', 'a', 'b\u0000c'],
      ['a', 'b', 'c'],
    ],
    [
      ['a', 'b\u0000c', 'd'],
      ['a\u0000b', 'c', 'd'],
    ],
    [
      ['', 'a\u0000', 'b'],
      ['', 'a\u00010', 'b'],
    ],
    [
      ['', '\u0000a\u0000b', 'c'],
      ['a', 'b', 'c'],
    ],
  ])('however the names are put together: %j and %j', async (...places) => {
    const { guard } = setUp({ cache: { ttl: '1m' } });
    const values: unknown[] = [];
    for (const [tenant = '', operation = '', cacheKey = ''] of places) {
      const caller = tenant === '' ? guard : guard.for(tenant);
      values.push(await caller.run(operation, () => places.length + values.length, { cacheKey }));
    }
    expect(values).toEqual([2, 3]);
  });
});

describe('a key under pressure', () => {
  test('keeps its used-up limit, however many other keys come', async () => {
    const { guard } = setUp({ rateLimit: { limit: 5, per: '1h' }, keys: { max: 3 } });
    let calls = 0;
    for (let i = 0; i < 40; i += 1) {
      if ((await guard.for('attacker').outcome('list', failing(0))).outcome === 'success') calls += 1;
      if (i % 5 !== 4) continue;
      for (let j = 0; j < 3; j += 1) await guard.for(`n${i}-${j}`).outcome('list', failing(0));
    }
    expect(calls).toBe(5);
  });

  test('keeps its open circuit until a trial is due, and the one that was forced open', async () => {
    const { guard, clock } = setUp({ breaker: { failures: 1, openFor: '10s' }, keys: { max: 2 } });
    await guard.for('a').outcome('list', failing(1));
    guard.for('forced').breaker?.forceOpen();
    for (let i = 0; i < 10; i += 1) guard.for(`n${i}`);
    expect(guard.for('a').breaker?.state).toBe('open');
    await clock.advance(10_000);
    guard.for('new');
    expect(guard.for('forced').breaker?.state).toBe('forced_open');
    expect(guard.snapshot().keys).toBe(2);
  });

  test.each<[string, GuardOptions]>([
    ['with slots', { bulkhead: { concurrent: 1 } }],
    ['without any policy', {}],
    ['with a retry', { retry: {} }],
    ['with a cache', { cache: { ttl: '1m' } }],
  ])('keeps its state while a call is on its way, %s', async (_, policies) => {
    const { guard } = setUp({ ...policies, keys: { max: 2 } });
    const gate = deferred<string>();
    const held = guard.for('db');
    const running = held.run('list', () => gate.promise, { cacheKey: 'a' });
    await Promise.resolve();
    for (let i = 0; i < 10; i += 1) guard.for(`n${i}`);
    expect(guard.for('db')).toBe(held);
    gate.resolve('done');
    await running;
    for (let i = 0; i < 10; i += 1) guard.for(`n${i}`);
    expect(guard.for('db')).not.toBe(held);
  });

  test('goes first if it is idle and the least recently used, by calls through a guard that is held too', async () => {
    const { guard } = setUp({ breaker: {}, keys: { max: 2 } });
    const [a, b] = [guard.for('a'), guard.for('b')];
    await a.run('list', failing(0));
    guard.for('c');
    expect(guard.for('a')).toBe(a);
    expect(guard.for('b')).not.toBe(b);
  });

  test('has one state, also for those who hold a guard of it from before it was forgotten', async () => {
    const { guard } = setUp({ breaker: { failures: 1 }, keys: { max: 1 } });
    const held = guard.for('a');
    guard.for('b');
    await guard.for('a').outcome('list', failing(1));
    expect(await held.outcome('list', failing(0))).toMatchObject({
      error: { code: 'ERR_KEELSON_BREAKER_OPEN' },
    });
    expect(held.breaker?.state).toBe('open');
  });

  test('shares the state of `_OTHER` if all keys are busy, with one warning', async () => {
    const { guard, clock, warnings } = setUp({
      breaker: { failures: 1, openFor: '10s' },
      bulkhead: { concurrent: 1 },
      keys: { max: 2 },
    });
    const keys: unknown[] = [];
    guard.on((event) => event.type === 'breaker.transition' && keys.push(event.key));
    for (const key of ['a', 'b', 'c']) await guard.for(key).outcome('list', failing(1));
    expect(keys).toEqual(['a', 'b', '_OTHER']);
    expect(guard.for('d').breaker?.state).toBe('open');
    expect(guard.for('d').key).toBe('d');
    expect(guard.snapshot().keys).toBe(2);
    expect(warnings).toEqual([
      expect.stringMatching(/^guard "crm": All 2 keys .*`_OTHER`\. Raise `keys\.max`\.$/),
    ]);
    await clock.advance(10_000);
    expect(guard.for('d').breaker?.state).toBe('closed');
    expect(guard.for('d')).toBe(guard.for('d'));
  });

  test('takes no memory with it: of 60,000 keys only as many have state as the guard keeps', async () => {
    const { guard } = setUp({
      breaker: {},
      retry: { budget: {} },
      cache: { ttl: '1m', maxEntries: 10 },
      keys: { max: 100 },
    });
    for (let i = 0; i < 60_000; i += 1) await guard.for(`key-${i}`).run('list', () => i, { cacheKey: 'a' });
    expect(guard.snapshot()).toMatchObject({ keys: 100, cache: { entries: 10 } });
  });
});
