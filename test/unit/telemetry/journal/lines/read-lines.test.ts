import { mkdtempSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readLines } from '../../../../../src/telemetry/journal/lines/read-lines.ts';
import type { ReadLine } from '../../../../../src/telemetry/journal/lines/read-lines.ts';

const LINES = 4_000;
/** Several chunks, so that the file is still being read when the first line is there. */
const TEXT = `${'x'.repeat(299)}\n`.repeat(LINES);

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'keelson-lines-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

async function all(path: string, afterFirst?: () => void): Promise<readonly ReadLine[]> {
  const lines: ReadLine[] = [];
  for await (const line of readLines(path)) {
    lines.push(line);
    if (lines.length === 1) afterFirst?.();
  }
  return lines;
}

/** The descriptors of this process that lead into a folder. */
function openFiles(below: string): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(join('/proc/self/fd', fd));
      return path.startsWith(below) ? [path] : [];
    } catch {
      return [];
    }
  });
}

describe('readLines', () => {
  test('gives what cannot be read as its last line, without throwing', async () => {
    const home = folder();
    expect(await all(join(home, 'gone.jsonl'))).toEqual([
      { kind: 'broken', number: 1, problem: 'cannot be read: ENOENT' },
    ]);
    expect(await all(home)).toEqual([{ kind: 'broken', number: 1, problem: 'cannot be read: EISDIR' }]);
  });

  test.each([
    ['a plain file', TEXT],
    ['a compressed file', gzipSync(TEXT)],
  ])('reads %s to its end that gets another name and is deleted meanwhile', async (_, content) => {
    const home = folder();
    const path = join(home, 'a.jsonl');
    writeFileSync(path, content);
    const lines = await all(path, () => {
      renameSync(path, join(home, 'b.jsonl'));
      writeFileSync(path, 'another file\n');
      rmSync(join(home, 'b.jsonl'));
    });
    expect(lines).toHaveLength(LINES);
    expect(lines.every(({ kind }) => kind === 'line')).toBe(true);
  });

  test.runIf(process.platform === 'linux').each([
    ['a plain file', TEXT],
    ['a compressed file', gzipSync(TEXT)],
    ['a damaged file', gzipSync(TEXT).subarray(0, 40)],
  ])('leaves no descriptor of %s open, read to its end or not', async (_, content) => {
    const home = folder();
    const path = join(home, 'a.jsonl');
    writeFileSync(path, content);
    await all(path);
    expect(openFiles(home)).toEqual([]);
    for await (const line of readLines(path)) {
      expect(line.number).toBe(1);
      break;
    }
    expect(openFiles(home)).toEqual([]);
  });
});
