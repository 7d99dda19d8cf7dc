import { AsyncLocalStorage } from 'node:async_hooks';
import * as cockatiel from 'cockatiel';
import { describe, expect, test } from 'vitest';
import { cache } from '../../../../src/policies/cache/index.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { failing } from '../../../support/failing.ts';

describe('our cache as a policy', () => {
  test("works in cockatiel's wrap, around a retry", async () => {
    const clock = new FakeClock();
    const policy = cockatiel.wrap(
      cache({ ttl: '1m', key: () => 'settings' }, { clock }),
      cockatiel.retry(cockatiel.handleAll, { maxAttempts: 3, backoff: new cockatiel.ConstantBackoff(0) }),
    );
    const fn = failing(2);
    await expect(policy.execute(fn)).resolves.toBe('ok');
    await expect(policy.execute(fn)).resolves.toBe('ok');
    expect(fn.executions).toBe(3);
  });

  test('takes the key of each call from where the user keeps it', async () => {
    const tenant = new AsyncLocalStorage<string>();
    const policy = cache({ ttl: '1m', key: () => tenant.getStore() });
    const ask = (name: string): Promise<string> =>
      tenant.run(name, () => policy.execute(async () => `for ${tenant.getStore()}`));
    expect([await ask('a'), await ask('b'), await ask('a')]).toEqual(['for a', 'for b', 'for a']);
    expect(policy.cache.stats().requests).toMatchObject({ miss: 2, hit: 1 });
  });

  test('goes past the cache for a call without a key', async () => {
    const policy = cache({ ttl: '1m', key: () => undefined });
    const fn = failing(0);
    await policy.execute(fn);
    await policy.execute(fn);
    expect([fn.executions, policy.cache.stats().entries]).toEqual([2, 0]);
    const { signal } = new AbortController();
    const given = (context: { signal: AbortSignal }): AbortSignal => context.signal;
    expect(await policy.execute(given, signal)).toBe(signal);
    expect((await policy.execute(given)).aborted).toBe(false);
  });

  test('gives the function a signal that aborts when everybody has gone', async () => {
    const policy = cache({ ttl: '1m', key: () => 'a' });
    const gate = deferred<string>();
    const controllers = [new AbortController(), new AbortController()];
    const aborts: unknown[] = [];
    const runs = controllers.map(({ signal }) =>
      policy.execute((context) => {
        context.signal.addEventListener('abort', () => aborts.push(context.signal.reason));
        return gate.promise;
      }, signal),
    );
    const ends = Promise.allSettled(runs);
    controllers[0]?.abort('one');
    expect(aborts).toEqual([]);
    controllers[1]?.abort('two');
    expect(aborts).toEqual(['two']);
    expect(await ends).toMatchObject([{ reason: 'one' }, { reason: 'two' }]);
  });

  test('throws a remembered error, and calls nothing for it', async () => {
    const policy = cache({ ttl: '1m', negativeTtl: '1m', key: () => 'a' });
    const error = new Error('no');
    const fn = failing(1, error);
    await expect(policy.execute(fn)).rejects.toBe(error);
    await expect(policy.execute(fn)).rejects.toBe(error);
    expect(fn.executions).toBe(1);
  });

  test('calls nothing for a signal that is aborted already', async () => {
    const fn = failing(0);
    const policy = cache({ ttl: '1m', key: () => 'a' });
    await expect(policy.execute(fn, AbortSignal.abort('late'))).rejects.toBe('late');
    expect(fn.executions).toBe(0);
  });

  test('tells of successes and failures', async () => {
    const policy = cache({ ttl: '1m', key: () => 'a' });
    const heard: string[] = [];
    policy.onSuccess(() => heard.push('success'));
    policy.onFailure(({ handled }) => heard.push(`failure ${handled}`));
    await expect(policy.execute(failing(1))).rejects.toThrow('no');
    await policy.execute(failing(0));
    expect(heard).toEqual(['failure false', 'success']);
  });

  test('refuses to stand without a key', () => {
    // @ts-expect-error the key is required
    expect(() => cache({ ttl: '1m' })).toThrow(
      /^cache: Expected `key` to be a function, got undefined\. Give one that tells the key/,
    );
  });
});
