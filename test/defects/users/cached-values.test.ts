import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { cache, createKeelson } from '../../../src/index.ts';
import type { CacheTier } from '../../../src/index.ts';
import { settlePromises } from '../../../src/testing/index.ts';

const REFUSED = { code: 'ERR_KEELSON_CACHE_VALUE' };

function* numbers(): Generator<number> {
  yield 1;
}

const ONCE_ONLY: Readonly<Record<string, () => unknown>> = {
  'a Response': () => new Response('body'),
  'a Request with a body': () => new Request('http://a/', { method: 'POST', body: 'x' }),
  'a web stream': () => new Response('body').body,
  'a stream of Node': () => Readable.from(['a']),
  'an iterator': () => numbers(),
  'an answer of undici, with a stream in it': () => ({ statusCode: 200, body: Readable.from(['a']) }),
  'a list of Responses': () => [new Response('a'), new Response('b')],
};

const MANY_TIMES: Readonly<Record<string, () => unknown>> = {
  'a Response without a body': () => new Response(null, { status: 204 }),
  'a Blob': () => new Blob(['a']),
  'a buffer': () => Buffer.from('a'),
  'a map': () => new Map([[1, 2]]),
  'an answer of axios, with the request that was sent': () => ({
    data: {},
    request: { pipe: () => {}, end: () => {} },
  }),
  'a stream that is at its end': () => ({ body: 'text', readable: false, pipe: () => {}, read: () => {} }),
  'an object whose property throws': () => ({
    get broken(): never {
      throw new Error('getter');
    },
  }),
  undefined: () => undefined,
};

function newGuard(secondTier?: CacheTier): {
  guard: ReturnType<ReturnType<typeof createKeelson>['guard']>;
  warnings: string[];
} {
  const warnings: string[] = [];
  const keelson = createKeelson({ warn: (message) => warnings.push(message) });
  return {
    guard: keelson.guard('api', { cache: { ttl: '1m', ...(secondTier && { secondTier }) } }),
    warnings,
  };
}

/** A tier of one process, whose two guards stand for two processes. */
function newTier(): CacheTier & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    get: async (key) => {
      const text = kept.get(key);
      return text === undefined ? undefined : { text, remainingMs: 60_000 };
    },
    set: async (key, text) => void kept.set(key, text),
    delete: async (key) => void kept.delete(key),
  };
}

describe('the cache refuses a value that only one caller could read', () => {
  test.each(Object.entries(ONCE_ONLY))('%s', async (_, make) => {
    const { guard } = newGuard();
    const run = (): Promise<unknown> => guard.run('get', make, { cacheKey: 'a' });
    await expect(run()).rejects.toMatchObject(REFUSED);
    await expect(run()).rejects.toMatchObject(REFUSED);
    expect(guard.cache?.stats().entries).toBe(0);
    await expect(guard.cache?.set('get', 'a', make())).rejects.toMatchObject(REFUSED);
  });

  test('with one error for all who share its load, which says what to cache', async () => {
    const { guard } = newGuard();
    let loads = 0;
    const load = async (): Promise<Response> => {
      loads += 1;
      return new Response('{"a":1}');
    };
    const outcomes = await Promise.all([1, 2, 3].map(() => guard.outcome('get', load, { cacheKey: 'a' })));
    expect(loads).toBe(1);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['failure', 'failure', 'failure']);
    expect(String(outcomes[2]?.error)).toContain('return await response.json()');
  });

  test('and closes it, so that its connection is free', async () => {
    const { guard } = newGuard();
    const response = new Response('body');
    const stream = Readable.from(['a']);
    await guard.outcome('get', () => response, { cacheKey: 'a' });
    await guard.outcome('get', () => ({ data: stream }), { cacheKey: 'b' });
    expect(await response.body?.getReader().read()).toEqual({ done: true, value: undefined });
    expect(stream.destroyed).toBe(true);
  });

  test('but gives it to a call without a key', async () => {
    const { guard } = newGuard();
    expect(await (await guard.run('get', () => new Response('body'))).text()).toBe('body');
  });

  test('also as a policy of its own', async () => {
    const policy = cache({ ttl: '1m', key: () => 'a' });
    await expect(policy.execute(() => new Response('body'))).rejects.toMatchObject(REFUSED);
  });
});

test.each(Object.entries(MANY_TIMES))('a call gets %s from the cache as it was loaded', async (_, make) => {
  const { guard } = newGuard();
  const value = make();
  await guard.run('get', () => value, { cacheKey: 'a' });
  const again = await guard.outcome('get', () => 'loaded again', { cacheKey: 'a' });
  expect(again.origin).toBe('cache');
  expect(again.value).toBe(value);
});

class User {
  readonly name = 'n';
}

function circular(): object {
  const value: { self?: object } = {};
  value.self = value;
  return value;
}

describe('a second tier gives back what it was given, or does not take it', () => {
  test.each([
    [{ a: [1, 'x', null, true, { b: -1.5 }] }],
    [{ a: undefined, list: [1, undefined, { b: undefined }] }],
    [undefined],
    [null],
    ['text'],
    [Object.assign(Object.create(null), { a: 1 })],
    [JSON.parse('{"__proto__":{"polluted":true}}')],
  ])('it gives back %o', async (value) => {
    const tier = newTier();
    await newGuard(tier).guard.run('get', () => value, { cacheKey: 'a' });
    await settlePromises();
    const other = await newGuard(tier).guard.outcome('get', () => 'loaded', { cacheKey: 'a' });
    expect(other.origin).toBe('cache');
    expect({ value: other.value }).toStrictEqual({ value: structuredClone(value) });
  });

  test.each([
    ['value.at', { at: new Date(0) }],
    ['value', new Map([[1, 2]])],
    ['value', new Set([1])],
    ['value', Buffer.from('hi')],
    ['value', new Uint8Array([1, 2])],
    ['value[1]', [1, Number.NaN]],
    ['value', Number.POSITIVE_INFINITY],
    ['value', -0],
    ['value', 1n],
    ['value', new Error('x')],
    ['value.user', { user: new User() }],
    ['value.self', circular()],
    ['value.fn', { fn: () => 1 }],
    ['value', new URL('http://a/')],
    ['value', { [Symbol('s')]: 1 }],
    ['value', Object.assign([1], { name: 'x' })],
  ])(
    'it refuses what is no JSON at %s, keeps no older value for it, and warns once',
    async (place, value) => {
      const tier = newTier();
      const { guard, warnings } = newGuard(tier);
      await guard.cache?.set('get', 'a', 'older');
      expect(tier.kept.size).toBe(1);
      await guard.cache?.set('get', 'a', value);
      await guard.cache?.set('get', 'b', value);
      expect(tier.kept.size).toBe(0);
      expect(await guard.cache?.get('get', 'a')).toBe(value);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain(`\`${place}\` is `);
      expect(guard.cache?.stats().tierFailures).toBe(2);
    },
  );
});
