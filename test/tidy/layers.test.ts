import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { importCycles, LAYERS, layerViolations, packageName } from './layers.ts';
import { parseSource, readSources } from './source-file.ts';

const sources = readSources('src');
const planted = readSources('test/tidy/fixtures');

describe('the layers of src', () => {
  test('every import is one that the table allows', () => {
    expect(layerViolations(sources)).toEqual([]);
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
