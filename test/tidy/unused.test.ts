import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

test(
  'the search for what nothing uses reports a file, an export and a dependency',
  { timeout: 30_000 },
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'keelson-unused-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'src'));
    copyFileSync('knip.json', join(folder, 'knip.json'));
    const manifest = { name: 'planted', type: 'module', dependencies: { leftover: '1.0.0' } };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(folder, 'src/index.ts'), "export { used } from './parts.ts';\n");
    writeFileSync(join(folder, 'src/parts.ts'), 'export const used = 1;\nexport const unused = 2;\n');
    writeFileSync(join(folder, 'src/stray.ts'), 'export const stray = 3;\n');
    const knip = join(process.cwd(), 'node_modules/knip/bin/knip.js');
    const { status, stdout } = spawnSync(process.execPath, [knip, '--directory', folder], {
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^src\/stray\.ts\s*$/m);
    expect(stdout).toMatch(/^unused\s.*src\/parts\.ts/m);
    expect(stdout).toMatch(/^leftover\s/m);
    expect(status).toBe(1);
  },
);
