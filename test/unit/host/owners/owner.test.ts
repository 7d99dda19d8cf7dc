import { describe, expect, test } from 'vitest';
import { parseOwnerLock } from '../../../../src/host/owners/owner-lock.ts';
import { Owner } from '../../../../src/host/owners/owner.ts';
import type { LockFiles } from '../../../../src/host/owners/owner.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { seededRandom } from '../../../../src/testing/seeded-random.ts';

const NOW = Date.UTC(2026, 10, 22);

/** Files in memory: a path, its content and when it was touched. */
class MemoryFiles implements LockFiles {
  readonly files = new Map<string, { readonly content: string; touchedAt: number | undefined }>();
  fails = false;

  facts(path: string): object | undefined {
    if (this.fails) throw new Error('EIO');
    return this.files.get(path);
  }

  writeNew(path: string, content: string): boolean {
    if (this.files.has(path)) return false;
    this.files.set(path, { content, touchedAt: undefined });
    return true;
  }

  touch(path: string, epochMs: number): void {
    const file = this.files.get(path);
    if (file) file.touchedAt = epochMs;
  }

  remove(path: string): void {
    if (!this.files.delete(path)) throw new Error('ENOENT');
  }
}

function setUp(seed = 1): { files: MemoryFiles; clock: FakeClock; owner: Owner } {
  const files = new MemoryFiles();
  const clock = new FakeClock(NOW);
  const processes = { self: () => ({ pid: 7, host: 'here' }), stat: () => undefined };
  const owner = new Owner({ folder: () => '/locks', files, clock, random: seededRandom(seed), processes });
  return { files, clock, owner };
}

describe('an owner', () => {
  test('has no lock until it is asked for its name, and then one that names its process', () => {
    const { files, owner } = setUp();
    owner.beat();
    expect(owner.id).toBeUndefined();
    expect(files.files.size).toBe(0);
    const id = owner.take();
    expect(id).toMatch(/^7-[0-9a-f]{8}$/);
    expect(owner.take()).toBe(id);
    const content = files.files.get(`/locks/${id}.lock`)?.content ?? '';
    expect(parseOwnerLock(content)).toMatchObject({
      pid: 7,
      host: 'here',
      startedAt: new Date(NOW).toISOString(),
    });
  });

  test('takes another name if the first one is taken', () => {
    const taken = setUp().owner.take();
    const { files, owner } = setUp();
    files.writeNew(`/locks/${taken}.lock`, 'of another process');
    expect(owner.take()).not.toBe(taken);
    expect(files.files.get(`/locks/${taken}.lock`)?.content).toBe('of another process');
  });

  test('touches its lock at each heartbeat', async () => {
    const { files, clock, owner } = setUp();
    const path = `/locks/${owner.take()}.lock`;
    await clock.advance(10_000);
    owner.beat();
    expect(files.files.get(path)?.touchedAt).toBe(NOW + 10_000);
  });

  test('makes its lock again, under the same name, after somebody removed it', () => {
    const { files, owner } = setUp();
    const path = `/locks/${owner.take()}.lock`;
    files.remove(path);
    owner.beat();
    expect([...files.files.keys()]).toEqual([path]);
  });

  test('survives a heartbeat that the disk refuses', () => {
    const { files, owner } = setUp();
    owner.take();
    files.fails = true;
    expect(() => owner.beat()).not.toThrow();
  });

  test('removes its lock when it is released, and has it again after the next heartbeat', () => {
    const { files, owner } = setUp();
    const path = `/locks/${owner.take()}.lock`;
    owner.release();
    expect(files.files.size).toBe(0);
    owner.beat();
    expect([...files.files.keys()]).toEqual([path]);
  });

  test('has nothing to release before it has a lock', () => {
    expect(() => setUp().owner.release()).not.toThrow();
  });
});
