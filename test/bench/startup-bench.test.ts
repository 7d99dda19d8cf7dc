import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test(
  'the benchmark of the start measures Keelson without its peers and without a network',
  { timeout: 60_000 },
  () => {
    const run = spawnSync(
      process.execPath,
      ['bench/startup.ts', '--rounds', '1', '--only', 'bare,register'],
      {
        encoding: 'utf8',
        env: { ...process.env, PATH: '' },
      },
    );
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/^bare +\d+ +\d+$/m);
    expect(run.stdout).toMatch(/^register +\d+ +\d+$/m);
    expect(run.stdout).not.toContain('ratio');
  },
);
