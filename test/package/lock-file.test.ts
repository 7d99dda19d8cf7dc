import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { LockedPackages } from './lock-file.ts';
import { completed, missingOptionals } from './lock-file.ts';

const planted: LockedPackages = {
  '': {},
  'node_modules/fast': {
    version: '1.2.3',
    dev: true,
    license: 'MIT',
    optionalDependencies: {
      'fast-darwin-arm64': '1.2.3',
      'fast-linux-x64-musl': '1.2.3',
      'fast-linux-x64-gnu': '1.2.3',
    },
  },
  'node_modules/fast-linux-x64-gnu': { version: '1.2.3' },
  'node_modules/slow': { version: '1.0.0', optionalDependencies: { watcher: '^2.0.0', own: '1.0.0' } },
  'node_modules/slow/node_modules/own': { version: '1.0.0' },
};

describe('the lock file', () => {
  test('has an entry for every optional dependency, so that npm ci takes it on each platform', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: LockedPackages;
    };
    expect(missingOptionals(packages), 'run: node test/package/complete-lock-file.ts').toEqual([]);
  });

  test('the check reports planted gaps, and knows nested packages', () => {
    expect(missingOptionals(planted)).toEqual([
      { name: 'fast-darwin-arm64', version: '1.2.3', askedBy: 'node_modules/fast' },
      { name: 'fast-linux-x64-musl', version: '1.2.3', askedBy: 'node_modules/fast' },
      { name: 'watcher', version: '^2.0.0', askedBy: 'node_modules/slow' },
    ]);
  });

  test('is completed with the platform that a name tells, and refuses to guess', () => {
    const { 'node_modules/slow': _slow, ...binaries } = planted;
    const packages = completed(binaries);
    expect(missingOptionals(packages)).toEqual([]);
    const common = { version: '1.2.3', dev: true, license: 'MIT', optional: true };
    expect(packages['node_modules/fast-darwin-arm64']).toEqual({ ...common, cpu: ['arm64'], os: ['darwin'] });
    expect(packages['node_modules/fast-linux-x64-musl']).toEqual({
      ...common,
      cpu: ['x64'],
      os: ['linux'],
      libc: ['musl'],
    });
    expect(() => completed(planted)).toThrow(
      'Cannot tell the platform of watcher@^2.0.0, which node_modules/slow asks for.',
    );
  });
});
