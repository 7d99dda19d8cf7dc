import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const run = (...args: readonly string[]): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, ['bench/outage.ts', ...args], { encoding: 'utf8' });

test(
  'the outage benchmark counts what became of every span, and ours are all there',
  { timeout: 90_000 },
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'keelson-bench-'));
    const json = join(folder, 'figures.json');
    const tiny = ['--before', '1', '--outage', '2', '--after', '3', '--rates', '50,200'];
    const { status, stdout, stderr } = run(...tiny, '--json', json);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toContain('lost keelson/50 0 goal 0 ok');
    expect(stdout).toContain('lost keelson/200 0 goal 0 ok');
    const { rows } = JSON.parse(readFileSync(json, 'utf8')) as {
      rows: readonly {
        readonly sdk: string;
        readonly rate: number;
        readonly made: number;
        readonly received: number;
        readonly lost: number;
        readonly rss: { readonly before: number; readonly most: number };
      }[];
    };
    expect(rows.map(({ sdk, rate }) => `${sdk}/${rate}`)).toEqual([
      'keelson/50',
      'stock/50',
      'keelson/200',
      'stock/200',
    ]);
    for (const { rate, made, received, lost, rss } of rows) {
      expect(made).toBeGreaterThan(rate * 4);
      expect(received + lost).toBe(made);
      expect(rss.most).toBeGreaterThanOrEqual(rss.before);
    }
    rmSync(folder, { recursive: true });
  },
);

test('the outage benchmark says what is wrong with an option', () => {
  const { status, stderr } = run('--rates', '20,fast');
  expect(status).toBe(1);
  expect(stderr).toContain('Expected --rates to be more than 0, got `fast`.');
});
