import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cacheFolder, program } from './support/backends.ts';
import { ROOT } from './support/documents.ts';
import { goProblem } from './support/go-version.ts';

const empty = mkdtempSync(join(tmpdir(), 'keelson-install-'));

afterAll(() => rmSync(empty, { recursive: true, force: true }));

function install(env: NodeJS.ProcessEnv, ...args: readonly string[]) {
  return spawnSync(process.execPath, ['test/stack/install.ts', ...args], {
    cwd: ROOT,
    env,
    encoding: 'utf8',
  });
}

describe('stack:install', () => {
  test('has nothing to do a second time, and says so at once', () => {
    const result = install(process.env);
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.stdout).toMatch(/^\[ +0\.\d s\] all 7 programs are there: /);
  });

  test('without Go says what to install, and fails', () => {
    const result = install({ KEELSON_STACK_CACHE: empty, PATH: empty });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('there is no `go` on the PATH. Install Go 1.26 or newer');
    expect(readdirSync(empty)).toEqual([]);
  });

  test('explains itself', () => {
    const result = install(process.env, '--help');
    expect(result.status).toBe(0);
    expect(result.stdout).toContain('KEELSON_STACK_CACHE');
  });

  test('refuses what it does not know', () => {
    expect(install(process.env, '--fast').status).toBe(1);
  });
});

describe('Go', () => {
  test.each([
    'go version go1.26.0 linux/amd64',
    'go version go1.27.3 linux/arm64',
    'go version go2.0 linux/amd64',
  ])('%s will do', (version) => {
    expect(goProblem(version)).toBeUndefined();
  });

  test.each(['go version go1.25.9 linux/amd64', 'go version devel', ''])('`%s` will not', (version) => {
    expect(goProblem(version)).toContain('Install Go 1.26 or newer');
  });
});

describe('the cache', () => {
  test('follows KEELSON_STACK_CACHE, then XDG_CACHE_HOME, and changes with the pins', () => {
    const hash = /[0-9a-f]{16}$/;
    expect(cacheFolder({ KEELSON_STACK_CACHE: '/x' })).toMatch(/^\/x\/[0-9a-f]{16}$/);
    expect(cacheFolder({ XDG_CACHE_HOME: '/y' })).toMatch(/^\/y\/keelson\/stack\/[0-9a-f]{16}$/);
    expect(cacheFolder({})).toMatch(hash);
  });

  test('without a program says what to run', () => {
    expect(existsSync(program('promtool'))).toBe(true);
    expect(() => program('promtool', { KEELSON_STACK_CACHE: empty })).toThrow('npm run stack:install');
  });
});
