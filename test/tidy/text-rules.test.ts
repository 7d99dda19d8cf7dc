import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { changelogProblems, localTraces, trackedFiles } from './text-rules.ts';

/** Written in pieces, so that this file is not what it describes. */
const join = (...parts: readonly string[]): string => parts.join('');

describe('what is committed', () => {
  test('names no path of a machine, no package host and no credential', () => {
    const files = trackedFiles('.');
    expect(files.length).toBeGreaterThan(10);
    expect(localTraces(files)).toEqual([]);
  });

  test('the check reports every planted trace', () => {
    const plant = (text: string): readonly string[] =>
      localTraces([{ path: 'notes.md', text: `first line\n${text}\n` }]);
    expect(plant(join('see /ho', 'me/ada/keelson'))).toEqual([
      join('notes.md:2: a path of one machine: /ho', 'me/ada'),
    ]);
    expect(plant(join('import "file:///Us', 'ers/ada/x.ts"'))).toHaveLength(1);
    expect(plant(join('C:\\Us', 'ers\\ada'))).toHaveLength(1);
    expect(plant(join('https://regis', 'try.example.org/keelson'))).toHaveLength(1);
    expect(plant(join('  "resol', 'ved": "https://example.org/a.tgz"'))).toHaveLength(1);
    expect(plant(join('GOPROXY=https://proxy.go', 'lang.org'))).toHaveLength(1);
    expect(plant(join('//example.org/:_auth', 'Token=abc'))).toHaveLength(1);
    expect(plant('https://example.org/home/page and ./work/item and src/root/file')).toEqual([]);
  });
});

describe('the changelog', () => {
  test('says what is not yet released', () => {
    expect(changelogProblems(readFileSync('CHANGELOG.md', 'utf8'))).toEqual([]);
  });

  test('the check reports a missing section and an empty one', () => {
    expect(changelogProblems('# Changelog\n\n## 0.1.0\n\n- First.\n')).toEqual([
      'CHANGELOG.md: a section "## Unreleased" is missing',
    ]);
    expect(changelogProblems('# Changelog\n\n## Unreleased\n\n## 0.1.0\n\n- First.\n')).toEqual([
      'CHANGELOG.md: the section "Unreleased" has no entry',
    ]);
    expect(changelogProblems('## Unreleased\n\n- New.\n')).toEqual([]);
  });
});
