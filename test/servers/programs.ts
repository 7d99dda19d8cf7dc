import { existsSync, globSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { User } from './server-process.ts';

/** The programs that the tests start, with the Debian package that has them. */
const PACKAGES = { 'redis-server': 'redis-server', postgres: 'postgresql', initdb: 'postgresql' } as const;

/** A program that the tests start. */
export type Program = keyof typeof PACKAGES;

/** Debian keeps the programs of PostgreSQL off the path. */
const FOLDERS = [
  ...(process.env['PATH'] ?? '').split(delimiter),
  ...globSync('/usr/lib/postgresql/*/bin').toSorted().toReversed(),
];

/** @throws where the program is not installed, with what to install */
export function pathOf(program: Program, folders: readonly string[] = FOLDERS): string {
  const found = folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(`${program} is missing. Install it: apt-get install ${PACKAGES[program]}`);
}

/** @returns the user that servers run as where the test is run by root, whom PostgreSQL refuses */
export function serverUser(): User {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const [, , uid, gid] =
    ['postgres', 'nobody'].flatMap((name) => users.filter(([found]) => found === name))[0] ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
