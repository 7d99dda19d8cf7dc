import { posix } from 'node:path';
import { amountOf } from './proc-text.ts';

/** What the files about control groups say. Every function here is pure, takes any text whatsoever and never throws. */

/** Where a hierarchy of control groups is mounted, and which part of it. */
export interface CgroupMount {
  readonly version: 1 | 2;
  /** Controllers of a version 1 hierarchy; empty in version 2. */
  readonly controllers: readonly string[];
  /** The group of the hierarchy that is seen at `point`. */
  readonly root: string;
  readonly point: string;
}

/** The control group of a process in one hierarchy. */
export interface CgroupMembership {
  /** Controllers of a version 1 hierarchy; empty for version 2. */
  readonly controllers: readonly string[];
  readonly path: string;
}

/** The folders of one hierarchy that hold for this process, its own group first, the outermost that can be seen last. */
export interface CgroupFolders {
  readonly version: 1 | 2;
  readonly folders: readonly string[];
}

/** A hierarchy is rarely deeper than five; the bound is for files that are not what they should be. */
const MAX_DEPTH = 32;

/** Version 1 says "no limit" with the largest multiple of a page; nothing has an exbibyte. */
const NO_LIMIT = 2 ** 60;

/** Reads `/proc/self/cgroup`: cgroups(7). */
export function membershipsOf(text: string): readonly CgroupMembership[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    if (!match) return [];
    const [, controllers = '', path = '/'] = match;
    return [{ controllers: controllers === '' ? [] : controllers.split(','), path }];
  });
}

/** Blanks and backslashes stand as octal numbers in mountinfo. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Reads the hierarchies of control groups from `/proc/self/mountinfo`: proc_pid_mountinfo(5). */
export function mountsOf(text: string): readonly CgroupMount[] {
  return text.split('\n').flatMap((line): CgroupMount[] => {
    const [mount = '', source = ''] = line.split(' - ', 2);
    const [, , , root, point] = mount.split(' ');
    const [type, , options = ''] = source.split(' ');
    if (root === undefined || point === undefined) return [];
    const place = { root: unescaped(root), point: unescaped(point) };
    if (type === 'cgroup2') return [{ version: 2, controllers: [], ...place }];
    return type === 'cgroup' ? [{ version: 1, controllers: options.split(','), ...place }] : [];
  });
}

function foldersOf(mount: CgroupMount, path: string): readonly string[] {
  const below = posix.relative(mount.root, path);
  // A group outside of what is mounted (another namespace's) cannot be seen; the mount itself is the nearest.
  const parts = below.startsWith('..') ? [] : below.split('/').filter((part) => part !== '');
  const kept = parts.slice(0, MAX_DEPTH);
  return Array.from({ length: kept.length + 1 }, (_, up) =>
    posix.join(mount.point, ...kept.slice(0, kept.length - up)),
  );
}

/**
 * Finds the folders of a controller that hold for this process: those of version 1 where the controller is there, else those of version 2
 * (in a hybrid setup both exist, and each controller is in one of them).
 * @param controller such as `memory`; `undefined` asks for version 2
 */
export function cgroupFolders(
  memberships: readonly CgroupMembership[],
  mounts: readonly CgroupMount[],
  controller: string | undefined,
): CgroupFolders | undefined {
  const find = (version: 1 | 2, matches: (controllers: readonly string[]) => boolean) => {
    const mount = mounts.find((each) => each.version === version && matches(each.controllers));
    const own = memberships.find((each) => matches(each.controllers));
    return mount && own ? { version, folders: foldersOf(mount, own.path) } : undefined;
  };
  const first = controller === undefined ? undefined : find(1, (list) => list.includes(controller));
  return first ?? find(2, (list) => list.length === 0);
}

/**
 * Reads the limit of a control group's memory: `memory.max` or `memory.limit_in_bytes`.
 * @returns bytes; `undefined` where there is no limit
 */
export function memoryLimitOf(text: string | undefined): number | undefined {
  const bytes = amountOf(text);
  return bytes === undefined || bytes >= NO_LIMIT ? undefined : bytes;
}

/**
 * Reads the processor quota of a control group.
 * @param text content of `cpu.max`, such as `50000 100000`, or `cpu.cfs_quota_us` and `cpu.cfs_period_us` with a blank between
 * @returns processors, such as 0.5; `undefined` where there is no quota
 */
export function cpuQuotaOf(text: string | undefined): number | undefined {
  const [quota, period] = (text ?? '').trim().split(/\s+/).map(amountOf);
  if (quota === undefined || period === undefined || quota === 0 || period === 0) return undefined;
  const processors = quota / period;
  return Number.isFinite(processors) && processors > 0 ? processors : undefined;
}
