import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { closingLine } from './closing-line-reporter.ts';

function lastLine(...files: readonly string[]): {
  readonly line: string | undefined;
  readonly status: number | null;
} {
  const config = 'test/support/fixtures/closing-line/vitest.config.ts';
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', config, ...files];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { line: stdout.trimEnd().split('\n').at(-1), status };
}

describe('the closing line', () => {
  test('counts what passed, failed and was skipped, and the exit code stays', () => {
    expect(lastLine('mixed')).toEqual({ line: '2 passed, 1 failed, 1 skipped', status: 1 });
  });

  test('counts a file that cannot be loaded as failed', () => {
    expect(lastLine('broken')).toEqual({ line: '0 passed, 1 failed', status: 1 });
  });

  test('counts a run without any test as failed', () => {
    expect(lastLine('nothing-has-this-name')).toEqual({ line: '0 passed, 1 failed', status: 1 });
  });

  test('leaves out what was not skipped', () => {
    expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
  });
});
