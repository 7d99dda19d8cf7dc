import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prepareStackFiles } from '../../../../src/cli/stack/stack-files.ts';
import type { StackFiles } from '../../../../src/cli/stack/stack-files.ts';
import { Home } from '../../../../src/storage/index.ts';

const ROUTES = 'dashboards/alertmanager/alertmanager.yml';
const SCRAPES = 'dashboards/prometheus/prometheus.yml';

let folder: string;
let root: string;
let home: Home;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keelson-stack-files-'));
  root = join(folder, 'package');
  home = new Home({ path: join(folder, 'home') });
  for (const part of ['docker-compose.yml', 'collector', 'dashboards']) {
    cpSync(part, join(root, part), { recursive: true });
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

const prepare = (): StackFiles => prepareStackFiles(home, root);
const copyOf = (path: string): string => join(home.path, 'stack', path);
const changePackage = (path: string): void => writeFileSync(join(root, path), '# of the next version\n');
const changeCopy = (path: string): void => writeFileSync(copyOf(path), '# mine\n');
const read = (path: string): string => readFileSync(path, 'utf8');

test('the copy has what the stack mounts, and no tests', () => {
  expect(prepare()).toEqual({ folder: join(home.path, 'stack'), updated: [], kept: [] });
  for (const path of ['docker-compose.yml', 'collector/config.yaml', ROUTES, SCRAPES]) {
    expect(read(copyOf(path))).toBe(read(path));
  }
  expect(existsSync(copyOf('dashboards/prometheus/rules'))).toBe(true);
  expect(existsSync(join(root, 'dashboards/prometheus/tests'))).toBe(true);
  expect(existsSync(copyOf('dashboards/prometheus/tests'))).toBe(false);
});

test('a second time there is nothing to do', () => {
  prepare();
  expect(prepare()).toMatchObject({ updated: [], kept: [] });
});

test('a file that was left alone becomes that of the next version', () => {
  prepare();
  changePackage(SCRAPES);
  expect(prepare()).toMatchObject({ updated: [SCRAPES], kept: [] });
  expect(read(copyOf(SCRAPES))).toBe('# of the next version\n');
});

test('a file that was changed stays, silently while the package’s is the same', () => {
  prepare();
  changeCopy(ROUTES);
  expect(prepare()).toMatchObject({ updated: [], kept: [] });
  expect(read(copyOf(ROUTES))).toBe('# mine\n');
});

test('a file that was changed here and in the package stays, once with the new one beside it', () => {
  prepare();
  changeCopy(ROUTES);
  changePackage(ROUTES);
  expect(prepare()).toMatchObject({ updated: [], kept: [ROUTES] });
  expect(read(copyOf(ROUTES))).toBe('# mine\n');
  expect(read(copyOf(`${ROUTES}.new`))).toBe('# of the next version\n');
  expect(prepare()).toMatchObject({ updated: [], kept: [] });
});

test('a file that the next version no longer has goes, unless it was changed; one of yours stays', () => {
  prepare();
  writeFileSync(copyOf('.env'), 'PROMETHEUS_PORT=19090\n');
  changeCopy(ROUTES);
  rmSync(join(root, 'collector/jaeger.yaml'));
  rmSync(join(root, ROUTES));
  prepare();
  expect(['collector/jaeger.yaml', ROUTES, '.env'].map((path) => existsSync(copyOf(path)))).toEqual([
    false,
    true,
    true,
  ]);
});

test('without a record of what was written, whatever differs counts as changed', () => {
  prepare();
  writeFileSync(copyOf('manifest.json'), '{ half');
  changeCopy(ROUTES);
  expect(prepare()).toMatchObject({ updated: [], kept: [ROUTES] });
  expect(read(copyOf(ROUTES))).toBe('# mine\n');
});

test('a file that was removed is there again', () => {
  prepare();
  rmSync(copyOf(SCRAPES));
  expect(prepare()).toMatchObject({ updated: [], kept: [] });
  expect(read(copyOf(SCRAPES))).toBe(read(SCRAPES));
});
