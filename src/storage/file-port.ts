import {
  chmodSync,
  closeSync,
  constants,
  createReadStream,
  createWriteStream,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writevSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** What is known of a file or folder. */
export interface FileFacts {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly size: number;
  /** Permission bits, such as 0o700. */
  readonly mode: number;
  /** Numeric owner; 0 on platforms without owners. */
  readonly owner: number;
  /** Last change in milliseconds since 1970-01-01T00:00:00Z. */
  readonly changedAt: number;
}

/** The part of the file system that storage uses. Tests put faults in here. Every method throws like `node:fs` does. */
export interface FilePort {
  /** Facts about `path` itself, links not followed; `undefined` where there is nothing. */
  facts(path: string): FileFacts | undefined;
  /** Makes the folder and those above it. @returns whether it was made now */
  makeFolder(path: string, mode: number): boolean;
  setMode(path: string, mode: number): void;
  /** Writes a new file; does nothing where one exists. @returns whether it was written */
  writeNew(path: string, content: string | Uint8Array, mode: number): boolean;
  /** Writes a file in one step for whoever reads it: beside it first, then in its place. Not synced: a crash of the machine may undo it. */
  replace(path: string, text: string, mode: number): void;
  /** The text of a small file. */
  readText(path: string): string;
  rename(from: string, to: string): void;
  /** Sets the time of the last change, in milliseconds since 1970. */
  touch(path: string, epochMs: number): void;
  list(folder: string): readonly string[];
  /** Opens for appending, makes the file where there is none, never follows a link. @returns the descriptor */
  openAppend(path: string, mode: number): number;
  /** Opens for reading, never follows a link. @returns the descriptor */
  openRead(path: string): number;
  /** Fills `buffer` from an offset of the file. @returns the number of bytes read, 0 at the end */
  read(descriptor: number, buffer: Uint8Array, offset: number): number;
  /** Size of an open file in bytes. */
  size(descriptor: number): number;
  /** Appends. @returns the number of bytes written, which may be less than given */
  append(descriptor: number, chunks: readonly Uint8Array[]): number;
  truncate(descriptor: number, size: number): void;
  close(descriptor: number): void;
  remove(path: string): void;
  /** Writes a compressed copy (gzip), off the event loop; replaces what lies at `to`. */
  compress(from: string, to: string, mode: number): Promise<void>;
}

/** The code of a system error, such as `ENOSPC`; `UNKNOWN` for everything else. */
export function systemCode(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return 'UNKNOWN';
}

// O_NOFOLLOW does not exist on Windows.
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
const OPEN_APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | NO_FOLLOW;
const OPEN_READ = constants.O_RDONLY | NO_FOLLOW;

/**
 * Level by level: `mkdir` with `recursive` never returns below some file systems, such as /proc (Node 24).
 * @returns whether the innermost folder was made now
 */
function makeFolder(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST' && lstatSync(path).isDirectory()) return false;
    const above = dirname(path);
    if (code !== 'ENOENT' || above === path || lstatSync(above, { throwIfNoEntry: false })) throw error;
    makeFolder(above, mode);
    // Another process may have made it meanwhile.
    return makeFolder(path, mode);
  }
}

/** The machine's own file system. */
export const systemFiles: FilePort = {
  facts(path) {
    const facts = lstatSync(path, { throwIfNoEntry: false });
    if (!facts) return undefined;
    const kind = facts.isSymbolicLink()
      ? 'link'
      : facts.isDirectory()
        ? 'folder'
        : facts.isFile()
          ? 'file'
          : 'other';
    return { kind, size: facts.size, mode: facts.mode & 0o777, owner: facts.uid, changedAt: facts.mtimeMs };
  },
  makeFolder,
  setMode: (path, mode) => chmodSync(path, mode),
  writeNew(path, content, mode) {
    try {
      writeFileSync(path, content, { flag: 'wx', mode });
      return true;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      return false;
    }
  },
  replace(path, text, mode) {
    const beside = `${path}.${process.pid}.tmp`;
    try {
      rmSync(beside, { force: true });
      writeFileSync(beside, text, { flag: 'wx', mode });
      renameSync(beside, path);
    } catch (error) {
      rmSync(beside, { force: true });
      throw error;
    }
  },
  readText: (path) => readFileSync(path, { encoding: 'utf8', flag: OPEN_READ }),
  rename: (from, to) => renameSync(from, to),
  touch: (path, epochMs) => utimesSync(path, epochMs / 1_000, epochMs / 1_000),
  list: (folder) => readdirSync(folder),
  openAppend: (path, mode) => openSync(path, OPEN_APPEND, mode),
  openRead: (path) => openSync(path, OPEN_READ),
  read: (descriptor, buffer, offset) => readSync(descriptor, buffer, 0, buffer.byteLength, offset),
  size: (descriptor) => fstatSync(descriptor).size,
  append: (descriptor, chunks) => writevSync(descriptor, [...chunks]),
  truncate: (descriptor, size) => ftruncateSync(descriptor, size),
  close: (descriptor) => closeSync(descriptor),
  remove: (path) => unlinkSync(path),
  async compress(from, to, mode) {
    rmSync(to, { force: true });
    await pipeline(
      createReadStream('', { fd: openSync(from, OPEN_READ) }),
      createGzip(),
      createWriteStream(to, { flags: 'wx', mode }),
    );
  },
};
