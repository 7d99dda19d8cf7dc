import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { loadPeer } from '../../../src/storage/index.ts';

const ABSENT = (): Promise<never> => Promise.reject(new Error("Cannot find package 'pg'"));

function hintOf(manifestText: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-peer-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'package.json'), manifestText);
  const url = pathToFileURL(join(folder, 'package.json'));
  return loadPeer('pg', ABSENT, 'postgresStore({ pool })', url).then(
    () => 'loaded',
    (error: { hint: string }) => error.hint,
  );
}

test('a package that is there is given as it is', async () => {
  const module = { Pool: 'the class' };
  expect(await loadPeer('pg', async () => module, 'postgresStore({ pool })')).toBe(module);
});

test('a package that is missing is named with the range of package.json, and the cause is kept', async () => {
  await expect(loadPeer('pg', ABSENT, 'postgresStore({ pool })')).rejects.toMatchObject({
    code: 'ERR_KEELSON_PEER_MISSING',
    message: 'The package `pg` cannot be loaded.',
    hint: `Install it beside keelson: \`npm install "pg@${manifest.peerDependencies.pg}"\`. Or pass what you have: \`postgresStore({ pool })\`.`,
    cause: { message: "Cannot find package 'pg'" },
  });
});

test.each([
  ['of the application that Keelson was bundled into', '{"name":"shop","peerDependencies":{"pg":"^7"}}'],
  ['without peers', '{"name":"keelson"}'],
  ['that is no JSON', 'not JSON'],
])('a package.json %s names no versions', async (_what, text) => {
  expect(await hintOf(text)).toBe(
    'Install it beside keelson: `npm install pg`. Or pass what you have: `postgresStore({ pool })`.',
  );
});
