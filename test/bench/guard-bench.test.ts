import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ratioLine } from '../../bench/harness.ts';

test('a ratio says whether it reaches its goal', () => {
  const goal = { over: 'ours', under: 'theirs', atMost: 0.35 };
  expect(ratioLine(goal, 0.331)).toBe('ratio ours/theirs 0.33 goal <= 0.35 ok');
  expect(ratioLine(goal, 0.351)).toBe('ratio ours/theirs 0.35 goal <= 0.35 short');
  expect(ratioLine({ over: 'ours', under: 'theirs' }, 2)).toBe('ratio ours/theirs 2.00');
});

test('the guard benchmark runs every variant and writes its figures', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-bench-'));
  const json = join(folder, 'figures.json');
  const args = ['bench/guard.ts', '--passes', '1', '--samples', '1', '--calls', '50', '--json', json];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(run.stderr).not.toContain('failed');
  expect(run.status).toBe(0);
  const goals = run.stdout.split('\n').filter((line) => / goal <= /.test(line));
  expect(goals).toHaveLength(7);
  for (const line of goals)
    expect(line).toMatch(/^ratio [\w.]+\/[\w.]+ \d+\.\d\d goal <= \d\.\d\d (ok|short)$/);
  const figures = JSON.parse(readFileSync(json, 'utf8')) as { figures: Record<string, { median: number }> };
  expect(Object.keys(figures.figures)).toHaveLength(21);
  expect(Object.values(figures.figures).every(({ median }) => median > 0)).toBe(true);
  rmSync(folder, { recursive: true });
});
