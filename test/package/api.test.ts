import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { entryPoints } from './packed-package.ts';
import { publicSurface } from './public-surface.ts';

for (const { subpath, types } of entryPoints()) {
  const name = subpath === '.' ? 'index' : subpath.replace('./', '');
  test(`the surface of ${subpath} is the one that was reviewed`, async () => {
    await expect(publicSurface(types)).toMatchFileSnapshot(`api/${name}.d.ts.txt`);
  });
}

test('the surface shows declarations of other files, and a change of one changes it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-surface-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const entry = join(folder, 'index.d.ts');
  writeFileSync(entry, "export { b as second } from './b.js';\nexport type A = 1;\n");
  writeFileSync(
    join(folder, 'b.d.ts'),
    '/** Docs. */\nexport declare function b(x: number): void;\nexport declare const hidden: 1;\n',
  );
  expect(publicSurface(entry)).toBe(
    '// A\nexport type A = 1;\n\n// second\nexport declare function b(x: number): void;\n',
  );
  writeFileSync(join(folder, 'b.d.ts'), 'export declare function b(x: string): void;\n');
  expect(publicSurface(entry)).toContain('x: string');
});
