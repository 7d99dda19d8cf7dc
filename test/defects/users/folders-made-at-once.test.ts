import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import type * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemFiles } from '../../../src/storage/index.ts';

/** Called before each folder is made, as another process may do something just then. */
const meanwhile = vi.hoisted(() => ({ run: (_path: string): void => {} }));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  return {
    ...real,
    mkdirSync: (path: string, options: fs.MakeDirectoryOptions) => {
      meanwhile.run(path);
      return real.mkdirSync(path, options);
    },
  };
});

test('a folder that another process makes between ours and the one above it is no obstacle', () => {
  const root = mkdtempSync(join(tmpdir(), 'keelson-race-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const path = join(root, 'telemetry/traces');
  let asked = 0;
  meanwhile.run = (made) => {
    if (made !== path) return;
    asked += 1;
    if (asked !== 2) return;
    meanwhile.run = () => {};
    mkdirSync(path, { mode: 0o700 });
  };
  expect(systemFiles.makeFolder(path, 0o700)).toBe(false);
  expect(statSync(path).isDirectory()).toBe(true);
});
