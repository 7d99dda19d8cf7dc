import { chmodSync, cpSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../stack/support/documents.ts';
import { worldFolder } from './docker.ts';

const PARTS = ['docker-compose.yml', 'package.json', 'collector', 'dashboards', 'dist', 'examples'];

/** @returns the folders of the packages that Keelson needs when it runs */
function packages(): readonly string[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev, optional }]) => path !== '' && dev !== true && optional !== true)
    .map(([path]) => path);
}

/**
 * A checkout as users have it after `npm ci && npm run build`, as far as the containers look into it: they run as a user of their own, and
 * cannot follow a link that leads out of it.
 *
 * @returns its folder
 */
export function checkout(): string {
  const folder = mkdtempSync(join(worldFolder(), 'checkout-'));
  chmodSync(folder, 0o755);
  for (const part of [...PARTS, ...packages()]) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true, dereference: true });
  }
  return folder;
}
