import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

/** Packages that are there more than once, with where they are. */
function duplicates(paths: readonly string[]): readonly string[] {
  const places = Map.groupBy(paths, (path) => path.split('node_modules/').at(-1) ?? '');
  return [...places].flatMap(([name, found]) => (found.length > 1 ? [`${name}: ${found.join(', ')}`] : []));
}

test('the lock file holds one copy of each OpenTelemetry package', () => {
  const { packages } = readJson<{ packages: object }>('package-lock.json');
  const paths = Object.keys(packages).filter((path) => /node_modules\/@opentelemetry\/[^/]+$/.test(path));
  expect(paths.length).toBeGreaterThan(10);
  expect(duplicates(paths)).toEqual([]);
});

test('node_modules holds one copy of each OpenTelemetry package', () => {
  const paths = globSync('node_modules/{,**/node_modules/}@opentelemetry/*/package.json').map((path) =>
    path.replaceAll('\\', '/').replace(/\/package\.json$/, ''),
  );
  expect(paths.length).toBeGreaterThan(10);
  expect(duplicates(paths)).toEqual([]);
});

test('a planted second copy is reported', () => {
  expect(
    duplicates(['node_modules/@opentelemetry/api', 'node_modules/x/node_modules/@opentelemetry/api']),
  ).toEqual([
    '@opentelemetry/api: node_modules/@opentelemetry/api, node_modules/x/node_modules/@opentelemetry/api',
  ]);
});

test('every version in package.json is exact', () => {
  const { dependencies, devDependencies } = readJson<Manifest>('package.json');
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, range]) => !/^(?:npm:[^@]+@)?\d+\.\d+\.\d+$/.test(range),
  );
  expect(loose).toEqual([]);
});
