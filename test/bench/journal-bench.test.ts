import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('the benchmark of the journal runs every variant', { timeout: 120_000 }, () => {
  const args = ['bench/journal.ts', '--passes', '1', '--samples', '1', '--calls', '3'];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(run.stderr).not.toContain('failed');
  expect(run.status).toBe(0);
  const ratios = run.stdout.split('\n').filter((line) => line.startsWith('ratio '));
  expect(ratios).toHaveLength(5);
  for (const line of ratios) {
    expect(line).toMatch(/^ratio [\w.]+\/[\w.]+ \d+\.\d\d( goal <= \d\.\d\d (ok|short))?$/);
  }
});
