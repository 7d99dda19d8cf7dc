import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { doorViolations, importCycles, LAYERS, layerViolations, packageName } from './layers.ts';
import { parseSource, readSources } from './source-file.ts';

const sources = readSources('src');
const planted = readSources('test/tidy/fixtures');

describe('the layers of src', () => {
  test('every import is one that the table allows', () => {
    expect(layerViolations(sources)).toEqual([]);
  });

  test('every area, and every folder with an index.ts, is entered through an index.ts', () => {
    expect(doorViolations(sources)).toEqual([]);
  });

  test('every area that another one imports has a door, but for core, whose files are open, and policies, whose folders have one each', () => {
    const imported = new Set(Object.values(LAYERS).flatMap(({ areas }) => areas));
    const open = [...imported].filter((area) => !sources.some(({ path }) => path === `${area}/index.ts`));
    expect(open.toSorted()).toEqual(['core', 'policies']);
    const policies = new Set(sources.flatMap(({ path }) => /^policies\/([^/]+)\//.exec(path)?.[1] ?? []));
    expect([...policies].filter((name) => !existsSync(`src/policies/${name}/index.ts`))).toEqual([]);
  });

  test('there is no import cycle, type-only ones included', () => {
    expect(importCycles(sources)).toEqual([]);
  });

  test('the table knows no area that does not exist', () => {
    expect(Object.keys(LAYERS).filter((area) => !existsSync(`src/${area}`))).toEqual([]);
  });

  test('the packages that src imports are the dependencies and peers of package.json, no more and no fewer', () => {
    const imported = sources
      .filter(({ path }) => !path.startsWith('testing/'))
      .flatMap(({ imports }) => imports.flatMap(({ specifier }) => specifier ?? []))
      .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
      .map(packageName);
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, object | undefined>;
    const declared = Object.keys({ ...manifest['dependencies'], ...manifest['peerDependencies'] });
    expect([...new Set(imported)].toSorted()).toEqual(declared.toSorted());
  });
});

describe('the layer check', () => {
  test('reports every planted violation and nothing else', () => {
    expect(layerViolations(planted)).toEqual([
      'common/Things.ts: area "common" has no line in LAYERS; add one that says what it may import',
      'core/imports.ts:1: core must not import node:fs',
      'core/imports.ts:2: core must not import policies',
      'guard/guard.ts:1: guard must not import package @opentelemetry/api',
      'guard/guard.ts:2: guard must not import testing',
      'guard/guard.ts:3: an import with a computed name cannot be checked; write it as a literal',
      'guard/guard.ts:4: guard must not import ../../../bench/outside.ts, which is outside src',
      'host/sampler.ts:1: host must not import telemetry',
      'host/sampler.ts:2: host must not import node:child_process',
      'index.ts:1: index.ts must not import telemetry',
      'policies/retry/retry.ts:1: policies must not import package @opentelemetry/api',
      'policies/retry/retry.ts:3: policies/retry must not import policies/breaker',
      'surprise/new-area.ts: area "surprise" has no line in LAYERS; add one that says what it may import',
      'telemetry/start.ts:3: telemetry must not import package express',
    ]);
  });

  test('reports every planted way around a door', () => {
    const door = (path: string): ReturnType<typeof parseSource> =>
      parseSource(path, 'export const door = 1;');
    const files = [
      door('storage/index.ts'),
      door('telemetry/index.ts'),
      door('telemetry/journal/index.ts'),
      parseSource(
        'cli/a.ts',
        "import '../storage/file-port.ts';\nimport('../telemetry/journal/segment.ts');",
      ),
      parseSource('telemetry/start.ts', "export { segment } from './journal/segment.ts';"),
      parseSource('telemetry/journal/journal.ts', "type Home = import('../../storage/home.ts').Home;"),
    ];
    expect(doorViolations(files)).toEqual([
      'cli/a.ts:1: storage/file-port.ts is behind a door; import it from storage/index.ts',
      'cli/a.ts:2: telemetry/journal/segment.ts is behind a door; import it from telemetry/journal/index.ts',
      'telemetry/start.ts:1: telemetry/journal/segment.ts is behind a door; import it from telemetry/journal/index.ts',
      'telemetry/journal/journal.ts:1: storage/home.ts is behind a door; import it from storage/index.ts',
    ]);
  });

  test('lets core, names of telemetry, doors, and what lies in the same folder be imported', () => {
    const files = ['core', 'signals', 'telemetry', 'telemetry/journal', 'telemetry/journal/reading'].map(
      (folder) => parseSource(`${folder}/index.ts`, 'export const door = 1;'),
    );
    const imports = [
      '../../core/clock.ts',
      '../../signals/semconv.ts',
      '../../signals/index.ts',
      '../start.ts',
      './cursor.ts',
      './format/ranges.ts',
      './reading/index.ts',
      'node:fs',
    ];
    const text = imports.map((specifier) => `import '${specifier}';`).join('\n');
    expect(doorViolations([...files, parseSource('telemetry/journal/journal.ts', text)])).toEqual([]);
  });

  test('reports a planted cycle of type-only imports', () => {
    expect(importCycles(planted)).toEqual(['import cycle: core/cycle-a.ts <-> core/cycle-b.ts']);
  });

  test('reports a long cycle once and a file that imports itself', () => {
    const files = [
      parseSource('a.ts', "import './b.ts';"),
      parseSource('b.ts', "import './c.ts'; import './d.ts';"),
      parseSource('c.ts', "import './a.ts';"),
      parseSource('d.ts', "export * from './d.ts';"),
    ];
    expect(importCycles(files)).toEqual(['import cycle: a.ts <-> b.ts <-> c.ts', 'import cycle: d.ts']);
  });

  test('refuses a file that it cannot parse', () => {
    expect(() => parseSource('broken.ts', 'import { from')).toThrow(/^broken\.ts: /);
  });
});
