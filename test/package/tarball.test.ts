import { existsSync, readFileSync } from 'node:fs';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linkProblems } from '../tidy/docs.ts';
import type { PackedPackage } from './packed-package.ts';
import { entryPoints, packPackage } from './packed-package.ts';

/** What `keelson stack` starts, and the runbooks that its alerts name. */
const STACK =
  /^(?:docker-compose\.yml|collector\/.+|dashboards\/(?:alerts\.md|(?:alertmanager|grafana|prometheus|provisioning|runbooks)\/.+))$/;

/** The READMEs of the areas, the examples, and the texts at the root. */
const FOR_PEOPLE =
  /^(?:package\.json|LICENSE|(?:README|CHANGELOG|CONTRIBUTING)\.md|dashboards\/README\.md|src\/.+\.md|(?:docs|examples)\/.+)$/;

/** Where links of shipped pages lead in a checkout only: tests, and what the dashboards are built from. */
const NOT_SHIPPED = [
  'dashboards/settings.yaml',
  'test/defects',
  'test/tidy/layers.ts',
  'test/tidy/source-rules.ts',
];

let packed: PackedPackage;

beforeAll(async () => {
  packed = await packPackage();
}, 60_000);

afterAll(() => {
  packed.remove();
});

describe('the tarball', () => {
  test('holds what is built from src, the stack, the texts for people, and nothing else', () => {
    const strange = packed.files.filter((path) => {
      const [, source, commonJs] =
        /^dist\/(.+?)\.(?:js|js\.map|d\.ts|(cjs|cjs\.map|d\.cts))$/.exec(path) ?? [];
      return source === undefined
        ? !FOR_PEOPLE.test(path) && !STACK.test(path)
        : !existsSync(`src/${source}.${commonJs === undefined ? 'ts' : 'cts'}`);
    });
    expect(strange, 'stale files? remove dist and build again').toEqual([]);
  });

  test('holds every entry point with its types', () => {
    const expected = entryPoints().flatMap(({ types, code }) =>
      [types, code].map((path) => path.replace('./', '')),
    );
    expect(expected.filter((path) => !packed.files.includes(path))).toEqual([]);
  });

  test('holds everything that docker-compose.yml mounts', () => {
    const compose = readFileSync('docker-compose.yml', 'utf8');
    const mounted = [...compose.matchAll(/^ +- \.\/([\w/-]+):/gm)].map(([, path]) => path ?? '');
    expect(mounted.length).toBeGreaterThan(4);
    expect(mounted.filter((path) => !packed.files.some((file) => file.startsWith(`${path}/`)))).toEqual([]);
  });

  test('holds what its pages link to', () => {
    const pages = packed.files.filter((path) => path.endsWith('.md'));
    expect(pages).toEqual(
      expect.arrayContaining(['src/policies/retry/README.md', 'src/guard/MIGRATION.md', 'docs/incident.md']),
    );
    const isShipped = (path: string): boolean =>
      packed.files.some((file) => file === path || file.startsWith(`${path.replace(/\/$/, '')}/`));
    const problems = (exists: (path: string) => boolean): readonly string[] =>
      pages.flatMap((page) => linkProblems(readFileSync(page, 'utf8'), page, exists));
    expect(problems((path) => isShipped(path) || NOT_SHIPPED.includes(path))).toEqual([]);
    // A page that is left out, and one that is needlessly listed, would show.
    expect(problems((path) => isShipped(path) && path !== 'src/policies/retry/README.md')).toContain(
      'src/policies/README.md links to retry/README.md, which does not exist',
    );
    expect(NOT_SHIPPED.filter(isShipped)).toEqual([]);
  });

  test('holds no tests', () => {
    expect(
      packed.files.filter((path) => /(?:^|\/)(?:tests?|fixtures|bench)\/|\.(?:test|bench)\./.test(path)),
    ).toEqual([]);
  });

  test('publint has nothing to say', async () => {
    const bytes = readFileSync(packed.tarball);
    const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    const { messages } = await publint({ level: 'warning', pack: { tarball } });
    expect(messages).toEqual([]);
  });

  test('every entry point resolves with its types, as attw sees it', async () => {
    const stdout = await packed.attw();
    const report = JSON.parse(stdout) as { analysis: { entrypoints: object }; problems?: object };
    expect(Object.keys(report.analysis.entrypoints)).toEqual(
      expect.arrayContaining(['.', './telemetry', './register']),
    );
  }, 60_000);
});

describe('the package in a project of its own', () => {
  const used = { value: 'paid', failed: 'failure', attempts: 2, refused: true };

  test('works from an ES module', async () => {
    expect(JSON.parse(await packed.node('use.mjs'))).toEqual(used);
  });

  test('works from CommonJS', async () => {
    expect(JSON.parse(await packed.node('use.cjs'))).toEqual(used);
  });

  test('gives ES modules and CommonJS the same guards', async () => {
    expect((await packed.node('shared.mjs')).trim()).toBe('true');
  });

  test('gives a module that is evaluated again its guard, also from a second copy of the package', async () => {
    const { warnings, ...guards } = JSON.parse(await packed.node('evaluated-again.mjs')) as {
      warnings: readonly string[];
    };
    const shared = { isSame: true, calls: 2 };
    expect(guards).toEqual({ module: shared, commonjs: shared, twoCopies: shared });
    expect(warnings).toEqual([
      expect.stringMatching(
        /^guard "two copies": It was created at \S+evaluated-again\.mjs:27, and with other options at \S+evaluated-again\.mjs:34\. /,
      ),
    ]);
  });

  test('compiles with its declarations, library checks included', async () => {
    expect(await packed.typeCheck()).toBe('');
  }, 60_000);

  test('has the command keelson, as package.json names it, which npm makes executable', async () => {
    const { bin, version } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      bin: { keelson: string };
      version: string;
    };
    const program = `node_modules/keelson/${bin.keelson.replace('./', '')}`;
    expect(await packed.node(program, '--version')).toBe(`${version}\n`);
    expect(await packed.node(program, 'telemetry', 'status')).toContain('does not exist');
  });

  test('names the versions of an optional package that is missing, as package.json does', async () => {
    const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      peerDependencies: { ioredis: string; pg: string };
    };
    const install = (name: 'ioredis' | 'pg', instead: string): string =>
      `Install it beside keelson: \`npm install "${name}@${peerDependencies[name]}"\`. Or pass what you have: \`${instead}\`.`;
    expect(JSON.parse(await packed.node('missing-peers.mjs'))).toEqual([
      ['ERR_KEELSON_PEER_MISSING', install('ioredis', 'redisStore({ client })')],
      ['ERR_KEELSON_PEER_MISSING', install('ioredis', 'redisTier({ client })')],
      ['ERR_KEELSON_PEER_MISSING', install('pg', 'postgresStore({ pool })')],
    ]);
  });

  test('starts an application under --import keelson/register', async () => {
    expect(JSON.parse(await packed.node('--import', 'keelson/register', 'use.mjs'))).toEqual(used);
  });
});
