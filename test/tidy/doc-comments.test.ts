import { expect, test } from 'vitest';
import { bareThrows } from './doc-comments.ts';
import { trackedFiles } from './text-rules.ts';

/** Written in pieces, so that this file is not what it describes. */
const plant = (what: string): string => `/** Reads a file. @throws ${what} */`;

test('doc comments write a class that is thrown in braces', () => {
  const sources = trackedFiles('.').filter(({ path }) => path.endsWith('.ts'));
  expect(sources.length).toBeGreaterThan(100);
  expect(bareThrows(sources)).toEqual([]);
});

test('the check reports every planted class without braces', () => {
  const text = [
    'first line',
    plant('ConfigError for a name'),
    plant('Error otherwise'),
    plant('{ConfigError} for a name'),
    plant('what the file system throws'),
  ].join('\n');
  expect(bareThrows([{ path: 'core/file.ts', text }])).toEqual([
    `core/file.ts:2: write the class in braces: ${plant('ConfigError for a name')}`,
    `core/file.ts:3: write the class in braces: ${plant('Error otherwise')}`,
  ]);
});
