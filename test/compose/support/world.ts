import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Names the world's folder to everything that runs in it. */
export const WORLD_ENV = 'KEELSON_COMPOSE_WORLD';

const PREFIX = 'keelson-compose-';
const CGROUPS = '/sys/fs/cgroup';
const KEEPER_FILE = 'keeper';
/** How long the processes of a world that was killed may take to be gone, in steps. */
const DYING_MS = 15_000;
const STEP_MS = 100;

/** @returns where worlds are made: inside of the world that this process is in, whose process ids mean nothing outside */
function worldsFolder(): string {
  return process.env[WORLD_ENV] ?? tmpdir();
}

/** Makes the folder of a new world, which belongs to this process. */
export function makeWorld(): string {
  const folder = mkdtempSync(join(worldsFolder(), PREFIX));
  writeFileSync(join(folder, KEEPER_FILE), String(process.pid));
  return folder;
}

/** @returns the parent of all control groups of a world, as Docker takes it */
export function cgroupParent(folder: string): string {
  return folder.slice(tmpdir().length);
}

/**
 * Runs a command in namespaces of its own: processes, mounts and network. What it starts ends with it, what it mounts goes with it, and
 * its ports, bridges and firewall rules are nobody else's. When this process is killed, so is the world.
 *
 * @param folder from {@link makeWorld}
 * @param command program and arguments
 */
export function enterWorld(folder: string, command: readonly string[]): ChildProcess {
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  // Process 1 has to collect orphans, and a new network has its loopback down.
  const first = ['tini', '--', 'sh', '-ec', 'ip link set lo up; exec "$@"', 'sh', ...command];
  return spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...namespaces, '--', ...first], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, [WORLD_ENV]: folder },
  });
}

/** @returns the control groups that a world has left */
export function cgroupsOf(folder: string): readonly string[] {
  if (!existsSync(CGROUPS)) return [];
  const name = cgroupParent(folder);
  const hierarchies = readdirSync(CGROUPS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(CGROUPS, entry.name));
  return [CGROUPS, ...hierarchies].map((each) => join(each, name)).filter((each) => existsSync(each));
}

/** Removes a control group with those inside of it; one that still has processes in it is waited for. */
async function removeCgroup(path: string, waitMs = DYING_MS): Promise<void> {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeCgroup(join(path, entry.name), waitMs);
  }
  try {
    rmdirSync(path);
  } catch (error) {
    const busy = error instanceof Error && 'code' in error && error.code === 'EBUSY';
    if (!busy || waitMs <= 0) throw error;
    await delay(STEP_MS);
    await removeCgroup(path, waitMs - STEP_MS);
  }
}

/** @returns what is mounted inside of a folder, as seen from here */
export function mountsOf(folder: string): readonly string[] {
  const points = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  return points.filter((point) => point.startsWith(`${folder}/`));
}

/**
 * Removes what a world whose processes are gone left in the file system.
 *
 * @throws where something is still mounted there: what is behind a mount is somebody else's
 */
export async function removeWorld(folder: string): Promise<void> {
  const mounts = mountsOf(folder);
  if (mounts.length > 0)
    throw new Error(`Expected nothing mounted in ${folder}, found ${mounts.join(', ')}.`);
  for (const cgroup of cgroupsOf(folder)) await removeCgroup(cgroup);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

function isKept(folder: string): boolean {
  const file = join(folder, KEEPER_FILE);
  if (!existsSync(file)) return false;
  const pid = readFileSync(file, 'utf8');
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('keeper.ts');
  } catch {
    return false;
  }
}

/** Removes the worlds whose keepers were killed before they could. @returns their folders */
export async function sweepWorlds(): Promise<readonly string[]> {
  const left = readdirSync(worldsFolder())
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(worldsFolder(), name))
    .filter((folder) => !isKept(folder));
  for (const folder of left) await removeWorld(folder);
  return left;
}

/** @returns processes other than this one that name the folder in their command line, as seen from here */
export function processesOf(folder: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== readlinkSync('/proc/self'))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
      } catch {
        return false;
      }
    })
    .map(Number);
}
