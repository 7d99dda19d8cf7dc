import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('the benchmark of the limiter says what it has to without a server', { timeout: 60_000 }, () => {
  const args = ['--passes', '1', '--samples', '1', '--calls', '20', '--only', 'x100'];
  const run = spawnSync(process.execPath, ['bench/limit.ts', ...args], {
    encoding: 'utf8',
    env: { ...process.env, PATH: '' },
  });
  expect(run.stderr).not.toContain('failed');
  expect(run.status).toBe(0);
  const ratios = run.stdout.split('\n').filter((line) => line.startsWith('ratio '));
  expect(ratios).toHaveLength(6);
  for (const line of [ratios[0], ratios[1], ratios[3], ratios[4]])
    expect(line).toMatch(/^ratio [\w.]+\/[\w.]+ \d+\.\d\d goal <= \d\.\d\d (ok|short)$/);
});
