import { join } from 'node:path';
import { lockName, parseOwnerLock } from '../../host/owners/index.ts';
import type { LockFacts } from '../../host/owners/index.ts';
import type { FilePort } from '../../storage/index.ts';
import { parseCursor } from './format/cursor.ts';
import type { CursorReading } from './format/cursor.ts';
import { cursorName } from './format/layout.ts';
import { listed, orAbsent } from './present-files.ts';

/** Reads the locks and cursors of a journal's owners, and changes nothing. */
export class OwnerFiles {
  readonly #files: FilePort;
  readonly #folder: string;

  /** @param folder absolute path of the folder `owners` */
  constructor(files: FilePort, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  /** The names of all files in the folder, sorted. @throws what the file system throws */
  names(): readonly string[] {
    return listed(this.#files, this.#folder);
  }

  /**
   * The lock of an owner. If its content cannot be read, its age alone shows whether the owner lives.
   * @returns `undefined` if there is none
   */
  lockOf(owner: string): LockFacts | undefined {
    const path = join(this.#folder, lockName(owner));
    const facts = this.#files.facts(path);
    if (facts?.kind !== 'file') return undefined;
    let text = '';
    try {
      text = this.#files.readText(path);
    } catch {
      // Removed meanwhile, or another user's: an empty text is no lock.
    }
    return { lock: parseOwnerLock(text), touchedAt: facts.changedAt };
  }

  /**
   * The cursor of an owner, read at each call, since a living owner goes on delivering.
   * @returns `undefined` if there is none
   * @throws what the file system throws
   */
  cursorOf(owner: string): CursorReading | undefined {
    const text = orAbsent(() => this.#files.readText(join(this.#folder, cursorName(owner))));
    return text === undefined ? undefined : parseCursor(text);
  }
}
