import { existsSync, globSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseSource, readSources } from './source-file.ts';
import {
  ambientUses,
  badNames,
  crowdedFolders,
  longFiles,
  MAX_FILES,
  MAX_LINES,
  SEAMS,
  strayNames,
  unnamedExports,
} from './source-rules.ts';

const sources = readSources('src');
const planted = readSources('test/tidy/fixtures');
const OURS = ['src', 'test', 'examples', 'bench', 'dashboards/src'].filter((folder) => existsSync(folder));

function ourFiles(pattern: string): readonly string[] {
  return OURS.flatMap((folder) => globSync(`${folder}/${pattern}`)).filter(
    (path) => !path.startsWith('test/tidy/fixtures'),
  );
}

describe('time and randomness', () => {
  test('come through the seams only', () => {
    expect(ambientUses(sources)).toEqual([]);
  });

  test('every seam says why it is one', () => {
    expect(SEAMS.filter(({ reason }) => !/^[A-Z].*\.$/.test(reason))).toEqual([]);
  });

  test('the check reports every planted use and a seam that is no longer needed', () => {
    const seams = [{ file: 'core/clock.ts', uses: ['Date.now', 'setTimeout'], reason: 'It is the clock.' }];
    const says = (use: string): string =>
      `${use} is read directly; take a Clock or Random, or name the seam in SEAMS`;
    expect(ambientUses(planted, seams)).toEqual([
      `policies/breaker/breaker.ts:3: ${says('setTimeout')}`,
      `signals/loud.ts:1: ${says('setTimeout')}`,
      `signals/loud.ts:4: ${says('new Date()')}`,
      `signals/loud.ts:6: ${says('Math.random')}`,
      `signals/loud.ts:6: ${says('performance.now')}`,
      `signals/loud.ts:7: ${says('AbortSignal.timeout')}`,
      `signals/loud.ts:1: ${says('node:timers/promises')}`,
      'core/clock.ts: SEAMS allows setTimeout, which it does not use',
    ]);
  });
});

describe('names of telemetry', () => {
  test('are written in a semconv.ts only', () => {
    expect(strayNames(sources)).toEqual([]);
    expect(strayNames(existsSync('dashboards/src') ? readSources('dashboards/src') : [])).toEqual([]);
  });

  test('the check reports planted literals and templates, and leaves keys and files alone', () => {
    expect(strayNames(planted)).toEqual([
      'signals/names.ts:2: "keelson.attempts" belongs into a semconv.ts',
      'signals/names.ts:3: "keelson." belongs into a semconv.ts',
    ]);
  });
});

describe('files', () => {
  test('export by name', () => {
    expect(unnamedExports(sources)).toEqual([]);
  });

  test('the check reports planted nameless exports', () => {
    expect(unnamedExports(planted)).toEqual([
      'signals/loud.ts:2: export default; export by name',
      'signals/loud.ts:3: export *; export by name',
    ]);
  });

  test(`have at most ${MAX_LINES} lines`, () => {
    expect(OURS.flatMap((folder) => longFiles(readSources(folder)))).toEqual([]);
  });

  test('the check reports a file with one line too many', () => {
    const file = parseSource('core/long.ts', 'export {};\n'.repeat(MAX_LINES + 1));
    expect(longFiles([file])).toEqual(['core/long.ts: 351 lines, at most 350; split it by concept']);
    expect(longFiles([parseSource('core/fits.ts', 'export {};\n'.repeat(MAX_LINES))])).toEqual([]);
  });

  test('have kebab-case names, in folders that name a concept', () => {
    expect(badNames(ourFiles('**/*.ts'))).toEqual([]);
  });

  test('the check reports planted names', () => {
    expect(badNames(planted.map(({ path }) => path))).toEqual([
      'common/Things.ts: "Things.ts" is not kebab-case',
      'common/Things.ts: folder "common" names no concept',
    ]);
  });
});

describe('folders', () => {
  const numbered = (folder: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => `${folder}/file-${index}.ts`);

  test(`have at most ${MAX_FILES} files beside their subfolders`, () => {
    expect(crowdedFolders(sources.map(({ path }) => path))).toEqual([]);
  });

  test('the check reports a folder with one file too many, and does not count its subfolders', () => {
    const fits = [...numbered('telemetry', MAX_FILES), ...numbered('telemetry/journal', MAX_FILES)];
    expect(crowdedFolders(fits, {})).toEqual([]);
    expect(crowdedFolders([...fits, 'telemetry/more.ts'], {})).toEqual([
      'telemetry: 17 files, at most 16; split it by concept',
    ]);
  });

  test('the check reports an exception that is exceeded, and one that is no longer needed', () => {
    expect(crowdedFolders(numbered('guard', 21), { guard: 20 })).toEqual([
      'guard: 21 files, at most 20; split it by concept',
    ]);
    expect(crowdedFolders(numbered('guard', 8), { guard: 20 })).toEqual([
      'guard: CROWDED allows 20 files, and it has 8; lower or remove it',
    ]);
  });
});

describe('READMEs', () => {
  /** What a reader needs to know is in the docstrings of these. */
  const WITHOUT = new Set(['core']);

  test('every other area of src has one', () => {
    const areas = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const missing = areas.map(({ name }) => name).filter((area) => !existsSync(`src/${area}/README.md`));
    expect(missing.filter((area) => !WITHOUT.has(area))).toEqual([]);
  });

  test('every policy folder has the same shape', () => {
    const policies = globSync('src/policies/*/').map((folder) =>
      folder.replaceAll('\\', '/').replace(/\/$/, ''),
    );
    const missing = policies.flatMap((folder) =>
      ['options.ts', 'index.ts', 'README.md']
        .map((file) => `${folder}/${file}`)
        .filter((path) => !existsSync(path)),
    );
    expect(missing).toEqual([]);
  });
});
