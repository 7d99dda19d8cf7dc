import { describe, expect, test } from 'vitest';
import type { CallOptions, Guard, GuardOptions } from '../../../../src/guard/index.ts';
import { createKeelson } from '../../../../src/guard/index.ts';
import { FakeClock } from '../../../../src/testing/index.ts';

function setUp(options: GuardOptions = {}): { guard: Guard; warnings: string[] } {
  const warnings: string[] = [];
  const keelson = createKeelson({ clock: new FakeClock(), warn: (message) => warnings.push(message) });
  return { warnings, guard: keelson.guard('payments', options) };
}

const MISSPELT = { cachekey: 'a' } as CallOptions;
const work = async (): Promise<string> => 'done';

describe('a call option that does not exist', () => {
  test('is warned of with the nearest one that does, and the call is made', async () => {
    const { guard, warnings } = setUp();
    await expect(guard.run('read', work, MISSPELT)).resolves.toBe('done');
    expect(warnings).toEqual([
      'guard "payments": Unknown call option `cachekey` in `run(\'read\', ...)`. Did you mean `cacheKey`?',
    ]);
  });

  test('is warned of with all that exist where none is near', async () => {
    const { guard, warnings } = setUp();
    await expect(guard.outcome('read', work, { priority: 1 } as CallOptions)).resolves.toMatchObject({
      outcome: 'success',
    });
    expect(warnings[0]).toContain('Known: signal, requestId, idempotent, inherit, cacheKey, dispose.');
  });

  test('is warned of once for a guard and its keys', async () => {
    const { guard, warnings } = setUp();
    for (const operation of ['read', 'read', 'write']) await guard.run(operation, work, MISSPELT);
    await guard.for('tenant').run('list', work, MISSPELT);
    expect(warnings).toHaveLength(1);
  });

  test('is looked for in the first call of each operation, and of fifty of them', async () => {
    const { guard, warnings } = setUp();
    await guard.run('read', work, { cacheKey: 'a' });
    await guard.run('read', work, MISSPELT);
    expect(warnings).toEqual([]);
    await guard.run('write', work, MISSPELT);
    expect(warnings).toHaveLength(1);
    const many = setUp();
    for (let i = 0; i < 50; i += 1) await many.guard.run(`read ${i}`, work, {});
    await many.guard.run('read', work, MISSPELT);
    expect(many.warnings).toEqual([]);
  });

  test('changes nothing where the one who is told throws', async () => {
    const keelson = createKeelson({
      warn: () => {
        throw new Error('nobody wants to know');
      },
    });
    await expect(keelson.guard('payments', {}).run('read', work, MISSPELT)).resolves.toBe('done');
  });

  test('is none of those that exist', async () => {
    const { guard, warnings } = setUp();
    const { signal } = new AbortController();
    await guard.run('read', work, { signal, requestId: 'a', idempotent: true, cacheKey: 'b' });
    expect(warnings).toEqual([]);
  });
});

describe('a cache that no call gives a key', () => {
  test('is warned of once, after a hundred calls', async () => {
    const { guard, warnings } = setUp({ cache: { ttl: '1m' } });
    for (let i = 0; i < 99; i += 1) await guard.run('read', work);
    expect(warnings).toEqual([]);
    for (let i = 0; i < 200; i += 1) await guard.run('read', work);
    expect(warnings).toEqual([expect.stringContaining('None of 100 calls gave a `cacheKey`')]);
  });

  test('is none where one call gave a key', async () => {
    const { guard, warnings } = setUp({ cache: { ttl: '1m' } });
    for (let i = 0; i < 300; i += 1) await guard.run('read', work, i === 50 ? { cacheKey: 'a' } : {});
    expect(warnings).toEqual([]);
  });

  test('is none where there is no cache', async () => {
    const { guard, warnings } = setUp();
    for (let i = 0; i < 101; i += 1) await guard.run('read', work);
    expect(warnings).toEqual([]);
  });
});
