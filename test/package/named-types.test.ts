import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { unnameableTypes } from './named-types.ts';
import { entryPoints } from './packed-package.ts';

test('every type that the public surface names can be imported', () => {
  expect(unnameableTypes(entryPoints().map(({ types }) => types))).toEqual([]);
});

test('a type that a signature, a parent or a constructor names and nobody exports is found', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-types-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const entry = join(folder, 'index.d.ts');
  writeFileSync(
    entry,
    "export type { A, Known as Renamed } from './parts.js';\nexport { make, Box } from './parts.js';\n",
  );
  writeFileSync(
    join(folder, 'parts.d.ts'),
    [
      "import type { Deep } from './deep.js';",
      "import type { IPolicy } from 'cockatiel';",
      'export interface Known {}',
      'interface Parent<T> { readonly value: T }',
      'export interface A extends Parent<Known> { readonly policy: IPolicy; readonly all: readonly Known[] }',
      'export declare function make<T>(options: Deep): Promise<T>;',
      'export declare class Box { #private; constructor(seats: Seats); }',
      'interface Seats {}',
    ].join('\n'),
  );
  writeFileSync(join(folder, 'deep.d.ts'), 'export interface Deep {}\n');
  expect(unnameableTypes([entry])).toEqual([
    'A names Parent, which no entry point exports',
    'Box names Seats, which no entry point exports',
    'make names Deep, which no entry point exports',
  ]);
});
