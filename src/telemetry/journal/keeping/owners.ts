import { join } from 'node:path';
import { isOwnerAlive } from '../../../host/owners/index.ts';
import type { ProcessPort } from '../../../host/owners/index.ts';
import { systemCode } from '../../../storage/index.ts';
import { settledIn } from '../format/cursor.ts';
import type { Cursor } from '../format/cursor.ts';
import { cursorName, journalFolders, parseOwnerFile } from '../format/layout.ts';
import type { Ranges } from '../format/ranges.ts';
import type { JournalContext } from '../journal-context.ts';
import { OwnerFiles } from '../owner-files.ts';

/** The owners on a home during one look: which of them live, and what the cursors of the dead cover. Renames cursors that cannot be used. */
export class Owners {
  readonly #context: JournalContext;
  readonly #processes: ProcessPort;
  readonly #folder: string;
  readonly #files: OwnerFiles;
  readonly #alive = new Map<string, boolean>();
  /** `undefined` for an owner without a cursor that can be used. */
  readonly #cursors = new Map<string, Cursor | undefined>();

  constructor(context: JournalContext, processes: ProcessPort) {
    this.#context = context;
    this.#processes = processes;
    this.#folder = journalFolders(context.home.path).owners;
    this.#files = new OwnerFiles(context.files, this.#folder);
  }

  isAlive(owner: string): boolean {
    if (owner === this.#context.owner.id) return true;
    const known = this.#alive.get(owner);
    if (known !== undefined) return known;
    const lock = this.#files.lockOf(owner);
    const alive = lock !== undefined && isOwnerAlive(lock, this.#processes, this.#context.clock.epoch());
    this.#alive.set(owner, alive);
    return alive;
  }

  /** What a dead owner's cursor covers of a segment. It covers nothing if it cannot be used; then it is also renamed. */
  settledOf(owner: string, key: string, size: number): Ranges {
    if (!this.#cursors.has(owner)) this.#cursors.set(owner, this.#read(owner));
    const cursor = this.#cursors.get(owner);
    if (!cursor) return [];
    const settled = settledIn(cursor, key, size);
    if (settled) return settled;
    this.#setAside(owner, `it speaks of bytes beyond the end of ${key}`);
    this.#cursors.set(owner, undefined);
    return [];
  }

  /**
   * Removes the locks and cursors of dead owners, and temporary cursors that they left, one file at each step.
   * @param left owners that still have segments: their locks and cursors stay
   */
  *removeDead(left: ReadonlySet<string>): Generator<undefined, void> {
    for (const name of this.#files.names()) {
      const file = parseOwnerFile(name);
      if (!file || this.isAlive(file.owner)) continue;
      if (left.has(file.owner) && file.kind !== 'replacing') continue;
      try {
        this.#context.files.remove(join(this.#folder, name));
      } catch {
        // Another process was first.
      }
      yield;
    }
  }

  #read(owner: string): Cursor | undefined {
    try {
      const reading = this.#files.cursorOf(owner);
      if (reading?.cursor || !reading) return reading?.cursor;
      this.#setAside(owner, reading.problem);
    } catch (error) {
      this.#setAside(owner, `it cannot be read (${systemCode(error)})`);
    }
    return undefined;
  }

  #setAside(owner: string, problem: string): void {
    const name = cursorName(owner);
    this.#context.warn(
      'journal:cursor',
      `The cursor telemetry/owners/${name} cannot be used: ${problem}. It is renamed to ${name}.unreadable, and what it covered is sent again.`,
    );
    try {
      this.#context.files.rename(join(this.#folder, name), join(this.#folder, `${name}.unreadable`));
    } catch {
      // It is not believed either way.
    }
  }
}
