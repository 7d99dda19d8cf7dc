import { join } from 'node:path';

import { systemCode } from '../../../storage/index.ts';
import type { FilePort } from '../../../storage/index.ts';
import { parseCursor } from '../format/cursor.ts';
import type { JournalBase } from '../journal-context.ts';
import { cursorName, journalFolders, parseOwnerFile } from '../format/layout.ts';
import { isOwnerAlive, lockName, parseOwnerLock } from '../../../host/owners/index.ts';
import type { ProcessPort } from '../../../host/owners/index.ts';
import type { Ranges } from '../format/ranges.ts';

/** The owners on a home during one look: who lives, and what the cursors of the dead say. */
export class Owners {
  readonly #base: JournalBase;
  readonly #processes: ProcessPort;
  readonly #folder: string;
  readonly #alive = new Map<string, boolean>();
  readonly #cursors = new Map<string, ReadonlyMap<string, Ranges>>();

  constructor(base: JournalBase, processes: ProcessPort) {
    this.#base = base;
    this.#processes = processes;
    this.#folder = journalFolders(base.home.path).owners;
  }

  isAlive(owner: string): boolean {
    if (owner === this.#base.owner.id) return true;
    const known = this.#alive.get(owner);
    if (known !== undefined) return known;
    const { files, clock } = this.#base;
    const path = join(this.#folder, lockName(owner));
    const facts = files.facts(path);
    const alive =
      facts !== undefined &&
      isOwnerAlive(
        { lock: parseOwnerLock(this.#text(path)), touchedAt: facts.changedAt },
        this.#processes,
        clock.epoch(),
      );
    this.#alive.set(owner, alive);
    return alive;
  }

  /** What a dead owner's cursor says of a segment; nothing where it cannot be believed. */
  settledOf(owner: string, key: string, size: number): Ranges {
    let segments = this.#cursors.get(owner);
    if (!segments) this.#cursors.set(owner, (segments = this.#read(owner)));
    const settled = segments.get(key) ?? [];
    if ((settled.at(-1)?.[1] ?? 0) <= size) return settled;
    this.#setAside(owner, `it speaks of bytes beyond the end of ${key}`);
    this.#cursors.set(owner, new Map());
    return [];
  }

  /** Removes locks and cursors of dead owners, and cursors that they did not get to put in place, one file at each step. @param left owners that still have segments */
  *removeDead(left: ReadonlySet<string>): Generator<undefined, void> {
    for (const name of listed(this.#base.files, this.#folder)) {
      const file = parseOwnerFile(name);
      if (!file || this.isAlive(file.owner)) continue;
      if (left.has(file.owner) && file.kind !== 'replacing') continue;
      try {
        this.#base.files.remove(join(this.#folder, name));
      } catch {
        // Another process was first.
      }
      yield;
    }
  }

  #read(owner: string): ReadonlyMap<string, Ranges> {
    const path = join(this.#folder, cursorName(owner));
    if (!this.#base.files.facts(path)) return new Map();
    const reading = parseCursor(this.#text(path));
    if (reading.cursor) return reading.cursor.segments;
    this.#setAside(owner, reading.problem);
    return new Map();
  }

  #setAside(owner: string, problem: string): void {
    const name = cursorName(owner);
    this.#base.warn(
      'journal:cursor',
      `The cursor telemetry/owners/${name} cannot be used: ${problem}. It is renamed to ${name}.unreadable, and what it covered is sent again.`,
    );
    try {
      this.#base.files.rename(join(this.#folder, name), join(this.#folder, `${name}.unreadable`));
    } catch {
      // It is not believed either way.
    }
  }

  #text(path: string): string {
    try {
      return this.#base.files.readText(path);
    } catch {
      return '';
    }
  }
}

/** The names in a folder, in order; none where there is no folder. */
export function listed(files: FilePort, folder: string): readonly string[] {
  try {
    return [...files.list(folder)].sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
