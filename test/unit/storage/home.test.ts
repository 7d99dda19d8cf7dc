import {
  chmodSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  existsSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Home } from '../../../src/storage/index.ts';
import { FaultyFiles } from './faulty-files.ts';

describe('the home', () => {
  let base = '';

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'keelson-home-'));
  });

  afterEach(() => {
    rmSync(base, { recursive: true, force: true });
  });

  test('lies in ./.keelson, in KEELSON_HOME where that is set, and where the option says before all', () => {
    expect(new Home({ env: {}, cwd: '/srv/app' }).path).toBe('/srv/app/.keelson');
    expect(new Home({ env: { KEELSON_HOME: '/var/lib/k' }, cwd: '/srv/app' }).path).toBe('/var/lib/k');
    expect(new Home({ env: { KEELSON_HOME: '' }, cwd: '/srv/app' }).path).toBe('/srv/app/.keelson');
    expect(new Home({ path: 'here', env: { KEELSON_HOME: '/var/lib/k' }, cwd: '/srv/app' }).path).toBe(
      '/srv/app/here',
    );
  });

  test('makes nothing before it is asked', () => {
    const home = new Home({ path: join(base, 'k') });
    expect(existsSync(home.path)).toBe(false);
  });

  test('is private, and ignored by git', () => {
    const home = new Home({ path: join(base, 'a', 'k') });
    expect(home.folder('telemetry', 'traces')).toBe(join(base, 'a', 'k', 'telemetry', 'traces'));
    expect(statSync(home.path).mode & 0o777).toBe(0o700);
    expect(statSync(join(home.path, 'telemetry')).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(home.path, '.gitignore'), 'utf8')).toBe('*\n');
    expect(statSync(join(home.path, '.gitignore')).mode & 0o777).toBe(0o600);
  });

  test('leaves the ignore rules and the mode of a folder that holds other things', () => {
    const project = join(base, 'project');
    mkdirSync(project, { mode: 0o755 });
    writeFileSync(join(project, 'index.js'), '');
    new Home({ path: project }).folder('logs');
    expect(existsSync(join(project, '.gitignore'))).toBe(false);
    expect(statSync(project).mode & 0o777).toBe(0o755);
  });

  test('makes a folder again that was removed', () => {
    const home = new Home({ path: join(base, 'k') });
    const logs = home.folder('logs');
    rmSync(home.path, { recursive: true });
    expect(home.folder('logs')).toBe(logs);
    expect(existsSync(logs)).toBe(true);
  });

  const refused: readonly { name: string; prepare: (path: string) => void; user?: number; says: RegExp }[] = [
    { name: 'a symbolic link', prepare: (path) => symlinkSync(base, path), says: /symbolic link/ },
    { name: 'a file', prepare: (path) => writeFileSync(path, ''), says: /not a folder/ },
    {
      name: "another user's folder",
      prepare: (path) => mkdirSync(path),
      user: 123_456,
      says: /belongs to user \d+, this process runs as 123456/,
    },
    {
      name: 'a folder that others can write to',
      prepare: (path) => {
        mkdirSync(path);
        chmodSync(path, 0o777);
      },
      says: /others can write to it \(mode 777\)/,
    },
  ];

  for (const { name, prepare, user, says } of refused) {
    test(`refuses ${name}, and says what to do`, () => {
      const path = join(base, 'k');
      prepare(path);
      const home = new Home({ path, ...(user !== undefined && { user }) });
      expect(() => home.folder('logs')).toThrow(
        expect.objectContaining({
          code: 'ERR_KEELSON_HOME',
          message: expect.stringMatching(says),
          hint: expect.stringMatching(/KEELSON_HOME|chmod|Move/),
        }),
      );
    });
  }

  test('says which folder to make writable when the system refuses', () => {
    const files = new FaultyFiles();
    files.forbidden.add(base);
    const home = new Home({ path: join(base, 'k'), files });
    expect(() => home.folder()).toThrow(
      expect.objectContaining({ code: 'ERR_KEELSON_HOME', hint: expect.stringContaining(`Make ${base} w`) }),
    );
  });

  test('says that a file lies in the way, above the home and in it', () => {
    writeFileSync(join(base, 'file'), '');
    const above = new Home({ path: join(base, 'file', 'k') });
    const inside = new Home({ path: join(base, 'k') });
    writeFileSync(join(inside.folder(), 'logs'), '');
    for (const attempt of [() => above.folder(), () => inside.folder('logs')]) {
      expect(attempt).toThrow(
        expect.objectContaining({ code: 'ERR_KEELSON_HOME', hint: expect.stringContaining('A file lies') }),
      );
    }
  });

  test('is checked without being made', () => {
    const home = new Home({ path: join(base, 'k') });
    expect(home.check()).toBe(false);
    expect(existsSync(home.path)).toBe(false);
    home.folder();
    expect(home.check()).toBe(true);
    chmodSync(home.path, 0o777);
    expect(() => new Home({ path: home.path }).check()).toThrow(/others can write/);
  });
});
