import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JsonLinesWriter } from '../../../src/storage/index.ts';
import type { JsonLinesWriterOptions } from '../../../src/storage/index.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { FaultyFiles, systemError } from './faulty-files.ts';

const START = Date.UTC(2026, 10, 22, 1, 45);

describe('the writer of JSON lines', () => {
  let folder = '';
  let clock = new FakeClock(START);
  let files = new FaultyFiles();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keelson-lines-'));
    clock = new FakeClock(START);
    files = new FaultyFiles();
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const make = (options: Partial<JsonLinesWriterOptions> = {}): JsonLinesWriter => {
    let number = 0;
    const naming = (openedAt: number): string => {
      const time = new Date(openedAt).toISOString().replaceAll(':', '').replace('.', '');
      return `${time}-7-${number++}.jsonl`;
    };
    return new JsonLinesWriter({ folder: () => folder, naming, clock, files, ...options });
  };
  const names = (): string[] => readdirSync(folder).sort();
  const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const all = (): string[] =>
    names()
      .flatMap((name) => text(name).split('\n'))
      .filter((line) => line !== '');

  test('makes no file before the first line', () => {
    make();
    expect(names()).toEqual([]);
  });

  test('writes each line with its break into a private file named after time, process and number', () => {
    const writer = make();
    expect(writer.append(['{"a":1}', Buffer.from('{"b":2}')])).toEqual({
      written: true,
      place: { file: '2026-11-22T014500000Z-7-0.jsonl', from: 0, to: 16 },
    });
    expect(writer.append(['{"c":3}'])).toMatchObject({ place: { from: 16, to: 24 } });
    expect(names()).toEqual(['2026-11-22T014500000Z-7-0.jsonl']);
    expect(text('2026-11-22T014500000Z-7-0.jsonl')).toBe('{"a":1}\n{"b":2}\n{"c":3}\n');
    expect(statSync(join(folder, '2026-11-22T014500000Z-7-0.jsonl')).mode & 0o777).toBe(0o600);
    expect(writer.stats).toMatchObject({ lines: 3, bytes: 24 });
  });

  test('starts the next segment when the next line would not fit, and loses no line', () => {
    const writer = make({ maxFileBytes: 20 });
    for (let i = 0; i < 7; i += 1) writer.append([`{"n":${i}}`]);
    expect(names().map((name) => text(name).length)).toEqual([16, 16, 16, 8]);
    expect(all()).toEqual([0, 1, 2, 3, 4, 5, 6].map((n) => `{"n":${n}}`));
  });

  test('writes a line that is longer than a file into one of its own', () => {
    const writer = make({ maxFileBytes: 4 });
    writer.append(['12345678']);
    writer.append(['1']);
    expect(names().map((name) => text(name))).toEqual(['12345678\n', '1\n']);
  });

  test('starts the next segment when one is old', async () => {
    const writer = make({ maxFileAgeMs: 1_000 });
    writer.append(['1']);
    await clock.advance(999);
    writer.append(['2']);
    await clock.advance(1);
    writer.append(['3']);
    expect(names().map((name) => text(name))).toEqual(['1\n2\n', '3\n']);
  });

  test('ends a segment that is old although no line comes', async () => {
    const writer = make({ maxFileAgeMs: 1_000 });
    writer.append(['1']);
    writer.rotate();
    expect(writer.openFile).toBe(names()[0]);
    await clock.advance(1_000);
    writer.rotate();
    expect(writer.openFile).toBeUndefined();
  });

  test.each([
    ['removed', (path: string) => rmSync(path)],
    ['renamed', (path: string) => renameSync(path, `${path}.adopted`)],
    ['cut', (path: string) => truncateSync(path, 1)],
    ['written to', (path: string) => appendFileSync(path, 'x')],
  ])('starts the next segment when one was %s under it', (_, change) => {
    const writer = make();
    writer.append(['1']);
    const first = writer.openFile ?? '';
    change(join(folder, first));
    expect(writer.append(['2'])).toMatchObject({ written: true, place: { from: 0, to: 2 } });
    expect(writer.openFile).not.toBe(first);
  });

  test('removes the oldest files first when a new one would pass the total, and counts them', async () => {
    const writer = make({ maxFileBytes: 10, maxTotalBytes: 30 });
    for (let i = 0; i < 6; i += 1) {
      writer.append(['123456789']);
      const newest = names().at(-1);
      if (newest) files.changedAt.set(newest, clock.epoch());
      await clock.advance(1_000);
    }
    expect(names()).toHaveLength(3);
    expect(names()[0]).toContain('-3.jsonl');
    expect(writer.stats).toMatchObject({ lines: 6, removedFiles: 3, removedBytes: 30 });
  });

  test('removes files that are too old, and no file that is not of its kind', async () => {
    writeFileSync(join(folder, 'alerts.jsonl'), '{}\n');
    files.changedAt.set('alerts.jsonl', 0);
    const writer = make({ maxTotalAgeMs: 5_000, maxFileAgeMs: 1_000 });
    writer.append(['1']);
    const first = names().find((name) => name !== 'alerts.jsonl');
    files.changedAt.set(first ?? '', clock.epoch());
    await clock.advance(5_001);
    writer.append(['2']);
    expect(all()).toEqual(['2', '{}']);
  });

  test('shares one file a day, appends to the one that exists, and starts another at midnight UTC', async () => {
    writeFileSync(join(folder, '2026-11-22.jsonl'), '0\n');
    const writer = make({ naming: 'daily' });
    writer.append(['1']);
    await clock.advance(22 * 3_600_000 + 15 * 60_000);
    writer.append(['2']);
    expect(names()).toEqual(['2026-11-22.jsonl', '2026-11-23.jsonl']);
    expect(text('2026-11-22.jsonl')).toBe('0\n1\n');
  });

  test('keeps no more files than it may, the newest ones', async () => {
    const writer = make({ naming: 'daily', maxFiles: 3 });
    for (let day = 0; day < 6; day += 1) {
      writer.append([String(day)]);
      files.changedAt.set(names().at(-1) ?? '', clock.epoch());
      await clock.advance(86_400_000);
    }
    expect(all()).toEqual(['3', '4', '5']);
    expect(writer.stats.removedFiles).toBe(3);
  });

  test('numbers the files of a day that outgrows its size', () => {
    const writer = make({ naming: 'daily', maxFileBytes: 4 });
    for (const line of ['111', '222', '333']) writer.append([line]);
    expect(names()).toEqual(['2026-11-22.1.jsonl', '2026-11-22.2.jsonl', '2026-11-22.jsonl']);
  });

  for (const [code, reason] of [
    ['ENOSPC', 'disk_full'],
    ['EACCES', 'not_permitted'],
    ['EROFS', 'read_only'],
    ['EIO', 'other'],
  ] as const) {
    test(`says ${reason} for ${code}, waits before it tries again, and recovers`, async () => {
      const writer = make();
      files.failOpen = code;
      expect(writer.append(['1', '2'])).toMatchObject({ written: false, reason, code, error: { code } });
      expect(writer.append(['3'])).toEqual({ written: false, reason, code });
      expect(files.opened).toBe(1);
      files.failOpen = undefined;
      await clock.advance(1_000);
      expect(writer.append(['4'])).toMatchObject({ written: true });
      expect(writer.stats.lost[reason]).toBe(3);
      expect(all()).toEqual(['4']);
    });
  }

  test('takes a half-written line back when the disk fills up', async () => {
    const writer = make();
    writer.append(['{"whole":1}']);
    files.appendAtMost = 5;
    files.failAppend = 'ENOSPC';
    expect(writer.append(['{"half":2}'])).toMatchObject({ written: false, reason: 'disk_full' });
    expect(all()).toEqual(['{"whole":1}']);
    files.failAppend = undefined;
    files.appendAtMost = Number.POSITIVE_INFINITY;
    await clock.advance(1_000);
    writer.append(['{"next":3}']);
    expect(all()).toEqual(['{"whole":1}', '{"next":3}']);
  });

  test('starts on a line of its own after a torn line in a shared file', async () => {
    const writer = make({ naming: 'daily' });
    files.appendAtMost = 3;
    files.failAppend = 'ENOSPC';
    writer.append(['{"half":2}']);
    files.failAppend = undefined;
    files.appendAtMost = Number.POSITIVE_INFINITY;
    await clock.advance(1_000);
    writer.append(['{"next":3}']);
    expect(text('2026-11-22.jsonl')).toBe('{"h\n{"next":3}\n');
  });

  test('leaves no empty segment behind while the disk is full', async () => {
    const writer = make();
    files.appendAtMost = 0;
    files.failAppend = 'ENOSPC';
    for (let i = 0; i < 3; i += 1) {
      writer.append(['1']);
      await clock.advance(1_000);
    }
    expect(files.opened).toBe(3);
    expect(names()).toEqual([]);
  });

  test('goes on after a short write', () => {
    files.appendAtMost = 3;
    const writer = make();
    expect(writer.append(['{"a":1}', '{"b":2}'])).toMatchObject({ written: true });
    expect(all()).toEqual(['{"a":1}', '{"b":2}']);
  });

  test('counts lines as lost when the folder cannot be had', () => {
    const writer = make({
      folder: () => {
        throw systemError('ERR_KEELSON_HOME');
      },
    });
    expect(writer.append(['1'])).toMatchObject({
      written: false,
      reason: 'not_permitted',
      code: 'ERR_KEELSON_HOME',
    });
  });

  test('does not write through a symbolic link', () => {
    const target = join(folder, 'target');
    writeFileSync(target, '');
    symlinkSync(target, join(folder, '2026-11-22.jsonl'));
    expect(make({ naming: 'daily' }).append(['1'])).toMatchObject({ written: false, code: 'ELOOP' });
    expect(readFileSync(target, 'utf8')).toBe('');
  });

  test('counts lines after the end as lost, and may be closed twice', () => {
    const writer = make();
    writer.append(['1']);
    writer.close();
    writer.close();
    expect(writer.append(['2'])).toMatchObject({ written: false, reason: 'closed' });
    expect(all()).toEqual(['1']);
  });
});
