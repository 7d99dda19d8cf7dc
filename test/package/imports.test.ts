import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageName } from '../tidy/layers.ts';
import { requireBuild } from './packed-package.ts';

const run = promisify(execFile);

interface Import {
  readonly loaded: readonly string[];
  readonly globals: readonly string[];
  readonly listeners: number;
  readonly resources: readonly string[];
}

async function importing(entry: string): Promise<Import> {
  const { stdout } = await run(process.execPath, ['test/package/import-probe.ts', entry]);
  return JSON.parse(stdout) as Import;
}

/** The npm packages among the loaded modules. */
function packages({ loaded }: Import): readonly string[] {
  const names = loaded.flatMap((url) =>
    url.includes('/node_modules/') ? packageName(url.split('/node_modules/').at(-1) ?? '') : [],
  );
  return [...new Set(names)].toSorted();
}

/** What importing an entry point may load. */
const SMALL: readonly string[] = ['@opentelemetry/api', 'cockatiel', 'lru-cache'];

beforeAll(() => {
  requireBuild();
});

describe.each(['keelson', 'keelson/testing'])('importing %s', (entry) => {
  test('loads small libraries at most, and no SDK, logger or driver', async () => {
    const result = await importing(entry);
    expect(result.loaded.filter((url) => url.includes('/dist/'))).not.toEqual([]);
    expect(packages(result).filter((name) => !SMALL.includes(name))).toEqual([]);
    expect(
      result.loaded.filter((url) =>
        /^node:(?:sqlite|http|https|net|child_process|worker_threads)$/.test(url),
      ),
    ).toEqual([]);
  });

  test('starts no timer, listens to nothing and leaves no global behind', async () => {
    const { globals, listeners, resources } = await importing(entry);
    expect({ globals, listeners, resources }).toEqual({ globals: [], listeners: 0, resources: [] });
  });
});

test('the probe sees what an entry point loads', async () => {
  const result = await importing('winston');
  expect(packages(result)).toContain('winston');
  expect(packages(result)).toContain('logform');
});
