import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

/** What knip reports, with the settings of this checkout, about a project of these files. */
function reportOf(files: Readonly<Record<string, string>>, ...options: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-unused-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  copyFileSync('knip.json', join(folder, 'knip.json'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const knip = join(process.cwd(), 'node_modules/knip/bin/knip.js');
  const { status, stdout } = spawnSync(process.execPath, [knip, '--directory', folder, ...options], {
    encoding: 'utf8',
  });
  return `${stdout}\nstatus ${status}`;
}

const MANIFEST = JSON.stringify({ name: 'planted', type: 'module' });

test(
  'the search for what nothing uses reports a file, an export and a dependency',
  { timeout: 30_000 },
  () => {
    const report = reportOf({
      'package.json': JSON.stringify({
        name: 'planted',
        type: 'module',
        dependencies: { leftover: '1.0.0' },
      }),
      'src/index.ts': "export { used } from './parts.ts';\n",
      'src/parts.ts': 'export const used = 1;\nexport const unused = 2;\n',
      'src/stray.ts': 'export const stray = 3;\n',
    });
    expect(report).toMatch(/^src\/stray\.ts\s*$/m);
    expect(report).toMatch(/^unused\s.*src\/parts\.ts/m);
    expect(report).toMatch(/^leftover\s/m);
    expect(report).toMatch(/^status 1$/m);
  },
);

test(
  'the search in what is published reports a file and an export that only tests use',
  {
    timeout: 30_000,
  },
  () => {
    const files = {
      'package.json': MANIFEST,
      'src/index.ts': "export { used } from './parts.ts';\n",
      'src/parts.ts': 'export const used = 1;\nexport const tested = 2;\n',
      'src/bench-only.ts': 'export const measured = 3;\n',
      'test/parts.test.ts':
        "import { tested } from '../src/parts.ts';\nimport { measured } from '../src/bench-only.ts';\ntested + measured;\n",
    };
    expect(reportOf(files)).toMatch(/^status 0$/m);
    const report = reportOf(files, '--production');
    expect(report).toMatch(/^src\/bench-only\.ts\s*$/m);
    expect(report).toMatch(/^tested\s.*src\/parts\.ts/m);
    expect(report).toMatch(/^status 1$/m);
  },
);
