import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemFiles } from '../../../src/storage/index.ts';

describe('the file system of the machine', () => {
  let folder = '';
  const at = (name: string): string => join(folder, name);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keelson-port-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test('writes a new file once, private, and says whether it did', () => {
    expect(systemFiles.writeNew(at('a'), 'one', 0o600)).toBe(true);
    expect(systemFiles.writeNew(at('a'), 'two', 0o600)).toBe(false);
    expect(readFileSync(at('a'), 'utf8')).toBe('one');
    expect(statSync(at('a')).mode & 0o777).toBe(0o600);
  });

  test('replaces a file in one step and leaves nothing beside it', () => {
    systemFiles.replace(at('a'), 'one', 0o600);
    systemFiles.replace(at('a'), 'two', 0o600);
    expect(systemFiles.readText(at('a'))).toBe('two');
    expect(() => systemFiles.replace(at('no/a'), 'x', 0o600)).toThrow('ENOENT');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  test('reads from an offset', () => {
    writeFileSync(at('a'), '0123456789');
    const descriptor = systemFiles.openRead(at('a'));
    const buffer = Buffer.alloc(4);
    expect(systemFiles.read(descriptor, buffer, 8)).toBe(2);
    expect(buffer.subarray(0, 2).toString()).toBe('89');
    expect(systemFiles.read(descriptor, buffer, 10)).toBe(0);
    systemFiles.close(descriptor);
  });

  test('compresses a file, whatever a run before left there', async () => {
    writeFileSync(at('a'), 'x'.repeat(100_000));
    writeFileSync(at('a.gz'), 'left over');
    await systemFiles.compress(at('a'), at('a.gz'), 0o600);
    expect(gunzipSync(readFileSync(at('a.gz'))).byteLength).toBe(100_000);
    expect(statSync(at('a.gz')).mode & 0o777).toBe(0o600);
  });

  test('sets the time of the last change', () => {
    writeFileSync(at('a'), '');
    systemFiles.touch(at('a'), 1_000_000);
    expect(systemFiles.facts(at('a'))?.changedAt).toBe(1_000_000);
  });

  test('reads through no symbolic link', () => {
    writeFileSync(at('secret'), 'x');
    symlinkSync(at('secret'), at('link'));
    expect(() => systemFiles.openRead(at('link'))).toThrow('ELOOP');
    expect(() => systemFiles.readText(at('link'))).toThrow('ELOOP');
  });
});
