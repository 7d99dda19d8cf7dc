import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { packageName } from '../tidy/layers.ts';
import { CLI, runCliProcess } from './cli-process.ts';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The files that a command line loads, as V8 counts them. */
async function loadedBy(args: readonly string[]): Promise<readonly string[]> {
  const folder = temporaryFolder();
  await runCliProcess(args, { NODE_V8_COVERAGE: folder });
  return globSync(join(folder, '*.json')).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(file, 'utf8')) as { result: readonly { url: string }[] };
    return result.map(({ url }) => url);
  });
}

const packages = (urls: readonly string[]): readonly string[] => [
  ...new Set(
    urls.flatMap((url) =>
      url.includes('/node_modules/') ? packageName(url.split('/node_modules/').at(-1) ?? '') : [],
    ),
  ),
];

describe('the built CLI', () => {
  test('begins with the line that makes it a program', () => {
    expect(readFileSync(CLI, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test.each([
    [['--help'], 0],
    [['telemetry', 'status', '--help'], 0],
    [['--version'], 0],
    [[], 2],
    [['telemetry', 'nothing'], 2],
    [['telemetry', 'status', '--home', '/dev/null/nowhere'], 0],
  ])('ends %j with %i', async (args, code) => {
    expect(await runCliProcess(args)).toMatchObject({ code, signal: null });
  });

  test('prints the version of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect((await runCliProcess(['--version'])).stdout).toBe(`${version}\n`);
  });

  test('colours by NO_COLOR and FORCE_COLOR', async () => {
    const args = ['telemetry', 'status', '--home', temporaryFolder()];
    expect((await runCliProcess(args, { FORCE_COLOR: '1' })).stdout).toContain(
      '\u001b[32mNothing needs attention.',
    );
    expect((await runCliProcess(args, { NO_COLOR: '1' })).stdout).not.toContain('\u001b');
    expect((await runCliProcess(args)).stdout).not.toContain('\u001b');
  });

  test('loads commander for its help, and neither an SDK nor the work of a command', async () => {
    const loaded = await loadedBy(['--help']);
    expect(packages(loaded)).toEqual(['commander']);
    expect(loaded.filter((url) => /\/dist\/(?:telemetry|signals|host|guard)\//.test(url))).toEqual([]);
    const working = await loadedBy(['telemetry', 'status', '--home', temporaryFolder()]);
    expect(working.filter((url) => url.includes('/dist/telemetry/'))).not.toEqual([]);
  });
});
