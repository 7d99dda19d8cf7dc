import { describe, expect, test } from 'vitest';
import { isOwnerAlive, parseOwnerLock } from '../../../../src/host/owners/owner-lock.ts';
import type { OwnerLock } from '../../../../src/host/owners/owner-lock.ts';
import type { ProcessPort } from '../../../../src/host/owners/process-identity.ts';

describe('the owner of a lock', () => {
  const lock: OwnerLock = {
    version: 1,
    pid: 7,
    startTicks: '99',
    bootId: 'boot',
    pidNamespace: 'pid:[1]',
    host: 'here',
    startedAt: '2026-11-22T00:00:00.000Z',
  };
  const machine = (stat: ReturnType<ProcessPort['stat']>, more: Partial<OwnerLock> = {}): ProcessPort => ({
    self: () => ({ ...lock, pid: 8, ...more }),
    stat: () => stat,
  });
  const alive = (stat: ReturnType<ProcessPort['stat']>): boolean =>
    isOwnerAlive({ lock, touchedAt: 0 }, machine(stat), 1_000_000);

  test('lives while its process runs, whatever its heartbeat says', () => {
    expect(alive({ state: 'S', startTicks: '99' })).toBe(true);
  });

  test('is dead without a process, as a zombie, and where another process has its number now', () => {
    expect(alive(undefined)).toBe(false);
    expect(alive({ state: 'Z', startTicks: '99' })).toBe(false);
    expect(alive({ state: 'S', startTicks: '100' })).toBe(false);
  });

  test.each([
    ['another container', machine(undefined, { pidNamespace: 'pid:[2]' }), lock],
    ['another boot or host', machine(undefined, { bootId: 'other' }), lock],
    ['a platform without /proc', machine(undefined), { ...lock, startTicks: undefined }],
    ['a lock that cannot be read', machine(undefined), undefined],
  ])('in %s lives by its heartbeat, for 90 s', (_, processes, held) => {
    expect(isOwnerAlive({ lock: held, touchedAt: 1_000 }, processes, 90_999)).toBe(true);
    expect(isOwnerAlive({ lock: held, touchedAt: 1_000 }, processes, 91_000)).toBe(false);
  });

  test('comes back from its text, and a lock of another version does not', () => {
    expect(parseOwnerLock(JSON.stringify(lock))).toEqual(lock);
    expect(parseOwnerLock(JSON.stringify({ ...lock, version: 2 }))).toBeUndefined();
    expect(parseOwnerLock('')).toBeUndefined();
    expect(parseOwnerLock('null')).toBeUndefined();
  });
});
