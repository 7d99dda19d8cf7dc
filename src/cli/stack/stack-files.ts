import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, posix } from 'node:path';
import type { Home } from '../../storage/index.ts';

/** What of the package makes up the stack. */
const SHIPPED = [
  'docker-compose.yml',
  'collector',
  'dashboards/alertmanager',
  'dashboards/grafana',
  'dashboards/prometheus/prometheus.yml',
  'dashboards/prometheus/rules',
  'dashboards/provisioning',
];
const MANIFEST = 'manifest.json';

/** Containers read the files as users of their own; the home around them is closed to everybody else. */
const READABLE_FILE = 0o644;
const READABLE_FOLDER = 0o755;

/** The working copy after it was brought up to date. */
export interface StackFiles {
  readonly folder: string;
  /** Files that were replaced by those of this version. */
  readonly updated: readonly string[];
  /** Files that somebody changed and that this version has anew: kept, with the new one beside it as `.new`. */
  readonly kept: readonly string[];
}

/** What was written when: path -> SHA-256 of the shipped content. */
interface Manifest {
  readonly version: 1;
  readonly files: Readonly<Record<string, string>>;
}

/** @returns where `keelson stack` keeps its copy of the stack's files */
export function stackFolder(home: Home): string {
  return join(home.path, 'stack');
}

/**
 * Brings the working copy in `<home>/stack` to the state of this package. Files that were changed there stay as they are.
 *
 * @param root folder of the package
 */
export function prepareStackFiles(home: Home, root: string): StackFiles {
  const folder = home.folder('stack');
  const before = readManifest(folder);
  const updated: string[] = [];
  const kept: string[] = [];
  const files: Record<string, string> = {};
  for (const path of SHIPPED.flatMap((each) => filesBelow(root, each))) {
    const content = readFileSync(join(root, path));
    const shipped = sha256(content);
    files[path] = shipped;
    const target = join(folder, path);
    const current = existsSync(target) ? sha256(readFileSync(target)) : undefined;
    if (current === shipped) continue;
    if (current !== undefined && current !== before.files[path]) {
      if (before.files[path] === shipped) continue;
      kept.push(path);
      replace(`${target}.new`, content);
      continue;
    }
    if (current !== undefined) updated.push(path);
    replace(target, content);
  }
  for (const [path, written] of Object.entries(before.files)) {
    const target = join(folder, path);
    if (path in files || !existsSync(target) || sha256(readFileSync(target)) !== written) continue;
    rmSync(target);
  }
  const manifest: Manifest = { version: 1, files };
  replace(join(folder, MANIFEST), Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
  return { folder, updated, kept };
}

function filesBelow(root: string, path: string): readonly string[] {
  if (statSync(join(root, path)).isFile()) return [path];
  return readdirSync(join(root, path)).flatMap((name) => filesBelow(root, posix.join(path, name)));
}

function readManifest(folder: string): Manifest {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as Partial<Manifest> | null;
    if (manifest?.version === 1 && typeof manifest.files === 'object')
      return { version: 1, files: manifest.files };
  } catch {
    // Without it every file that differs counts as changed by its owner, and is kept.
  }
  return { version: 1, files: {} };
}

function replace(path: string, content: Buffer): void {
  makeFolder(dirname(path));
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, content, { mode: READABLE_FILE });
  // The mask of this process must not close what containers read.
  chmodSync(temporary, READABLE_FILE);
  renameSync(temporary, path);
}

function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
  chmodSync(path, READABLE_FOLDER);
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
