import { readdirSync, realpathSync, statSync } from 'node:fs';
import type { Dirent, Stats } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { KeelsonError } from '../../core/errors.ts';
import { isOwnerAlive } from '../../host/owners/index.ts';
import type { ProcessPort } from '../../host/owners/index.ts';
import { systemCode, systemFiles } from '../../storage/index.ts';
import {
  journalFolders,
  OwnerFiles,
  OWNERS_FOLDER,
  parseSegmentName,
  REJECTED_FOLDER,
  TELEMETRY_FOLDER,
} from '../../telemetry/journal/reading/index.ts';
import type { SegmentName } from '../../telemetry/journal/reading/index.ts';
import { SIGNALS } from '../../telemetry/semconv.ts';
import type { Signal } from '../../telemetry/semconv.ts';
import { fileHint } from '../frame/file-error.ts';

/** A file with lines of OTLP JSON. */
export interface Source {
  /** Its path, as the user would write it. */
  readonly path: string;
  readonly size: number;
  /** When it was begun, by its name, in milliseconds since 1970. The last change for a file that is not the journal's. */
  readonly begunAt: number;
  /** Milliseconds since 1970. */
  readonly changedAt: number;
  /** Identifies the file, also after it was renamed. */
  readonly inode: string;
  /** The parts of its name, if it is the journal's. */
  readonly segment: SegmentName | undefined;
  /** The signal of its folder, if it is the journal's. */
  readonly signal: Signal | undefined;
}

/** The files that the paths of a command line lead to. */
export interface Sources {
  /** Oldest first. */
  readonly sources: readonly Source[];
  /** Files in a journal that are not the journal's. They are not read. */
  readonly foreign: readonly string[];
  /** Folders of batches that were set aside. They are read only if they are named. */
  readonly leftOut: readonly string[];
}

const LINES = /\.jsonl(?:\.gz)?$/;

/**
 * Finds the files behind paths. A file stands for itself. A home, or its folder `telemetry`, stands for its segments and archives. Any other folder
 * stands for every `.jsonl` and `.jsonl.gz` at any depth. Links inside folders are not followed.
 *
 * @param paths absolute, or below `cwd`
 * @throws {KeelsonError} `ERR_KEELSON_FILE` for a path that cannot be read
 */
export function findSources(paths: readonly string[], cwd: string): Sources {
  const found = new Map<string, Source>();
  const foreign: string[] = [];
  const leftOut: string[] = [];
  const add = (path: string, facts: Stats): void => {
    found.set(realpathSync(path), sourceOf(path, facts));
  };
  for (const named of paths) {
    try {
      const path = resolve(cwd, named);
      const facts = statSync(path);
      if (facts.isDirectory()) collect(path, add, foreign, leftOut);
      else add(path, facts);
    } catch (error) {
      throw new KeelsonError('ERR_KEELSON_FILE', `Cannot read ${named}: ${systemCode(error)}.`, {
        cause: error,
        hint: fileHint(error, 'Name a file of JSON lines, a home, or a folder inside of it.'),
      });
    }
  }
  return { sources: [...found.values()].toSorted(byAge), foreign, leftOut };
}

function sourceOf(path: string, facts: Stats): Source {
  const segment = parseSegmentName(basename(path));
  const folder = basename(dirname(path));
  return {
    path,
    size: facts.size,
    begunAt: segment?.openedAt ?? facts.mtimeMs,
    changedAt: facts.mtimeMs,
    inode: `${facts.dev}:${facts.ino}`,
    segment,
    signal: segment && SIGNALS.find((signal) => signal === folder),
  };
}

function byAge(a: Source, b: Source): number {
  return (
    a.begunAt - b.begunAt ||
    (a.segment?.number ?? 0) - (b.segment?.number ?? 0) ||
    (a.path < b.path ? -1 : Number(a.path > b.path))
  );
}

function collect(
  folder: string,
  add: (path: string, facts: Stats) => void,
  foreign: string[],
  leftOut: string[],
): void {
  const names = readdirSync(folder);
  if (names.includes(TELEMETRY_FOLDER)) return collect(join(folder, TELEMETRY_FOLDER), add, foreign, leftOut);
  if (![OWNERS_FOLDER, REJECTED_FOLDER].some((name) => names.includes(name))) {
    return collectAll(folder, add);
  }
  const rejected = join(folder, REJECTED_FOLDER);
  if (filesBelow(rejected).some(({ name }) => LINES.test(name))) leftOut.push(rejected);
  for (const signal of SIGNALS) {
    for (const { path, name, facts } of filesBelow(join(folder, signal))) {
      const segment = parseSegmentName(name);
      if (!segment) foreign.push(path);
      else if (segment.kind !== 'archiving') add(path, facts);
    }
  }
}

/** The segments and archives of one signal in a home, oldest first; none if there is no home. */
export function journalSources(home: string, signal: Signal): readonly Source[] {
  return filesBelow(journalFolders(home).segments(signal))
    .map(({ path, facts }) => sourceOf(path, facts))
    .filter(({ segment }) => segment !== undefined && segment.kind !== 'archiving')
    .toSorted(byAge);
}

function collectAll(folder: string, add: (path: string, facts: Stats) => void): void {
  for (const { path, name, facts } of filesBelow(folder)) if (LINES.test(name)) add(path, facts);
}

interface Found {
  readonly path: string;
  readonly name: string;
  readonly facts: Stats;
}

/** The files below a folder, without those that vanish meanwhile; none if there is no folder. */
function filesBelow(folder: string): readonly Found[] {
  return entriesOf(folder).flatMap((entry): readonly Found[] => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    const facts = entry.isFile() ? statSync(path, { throwIfNoEntry: false }) : undefined;
    return facts ? [{ path, name: entry.name, facts }] : [];
  });
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Finds a file again. A segment is renamed when another process takes it over, and becomes an archive once all of it was delivered. */
export function whereNow(source: Source): Source {
  const { path, inode, segment } = source;
  if (segment?.kind !== 'segment' || statSync(path, { throwIfNoEntry: false })) return source;
  const beside = filesBelow(dirname(path)).map((found) => sourceOf(found.path, found.facts));
  return (
    beside.find((each) => each.inode === inode) ?? beside.find((each) => each.path === `${path}.gz`) ?? source
  );
}

/** The folder of the owners of the journal in which a segment lies. */
export function ownersFolderOf(path: string): string {
  return join(dirname(path), '..', OWNERS_FOLDER);
}

/** Whether a process still writes to a segment, so that its last line may be unfinished. @param now milliseconds since 1970 */
export function isLive({ path, segment }: Source, processes: ProcessPort, now: number): boolean {
  if (segment?.kind !== 'segment') return false;
  const lock = new OwnerFiles(systemFiles, ownersFolderOf(path)).lockOf(segment.owner);
  return lock !== undefined && isOwnerAlive(lock, processes, now);
}
