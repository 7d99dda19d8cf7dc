import { join } from 'node:path';

import { systemCode } from '../../storage/index.ts';
import type { FilePort } from '../../storage/index.ts';
import { SIGNALS } from '../signal.ts';
import type { Signal } from '../signal.ts';
import { parseCursor } from './cursor.ts';
import { countItems, itemMarkOverlap } from './item-count.ts';
import type { JournalBase } from './journal-base.ts';
import { cursorName, journalFolders, lockName, parseOwnerFile } from './layout.ts';
import { isOwnerAlive, parseOwnerLock } from './owner-lock.ts';
import type { ProcessPort } from './process-identity.ts';
import { gapsOf, sizeOf } from './ranges.ts';
import type { Ranges } from './ranges.ts';
import { formatSegmentName, parseSegmentName } from './segment-name.ts';
import type { SegmentName } from './segment-name.ts';
import { Segment } from './segment.ts';
import type { SignalJournal } from './signal-journal.ts';

const SLICE_BYTES = 1_024 * 1_024;

/**
 * Takes over what dead owners left, once: an orphan is renamed, so that its name carries the new owner, after the new owner's cursor says what
 * the old one's did. Whoever finds the file gone was second. A crash at any point leaves a file that its name's owner has, and a cursor that
 * does not say too much.
 */
export class Adoption {
  readonly #base: JournalBase;
  readonly #processes: ProcessPort;
  readonly #onAdopted: (signal: Signal) => void;

  constructor(base: JournalBase, processes: ProcessPort, onAdopted: (signal: Signal) => void) {
    this.#base = base;
    this.#processes = processes;
    this.#onAdopted = onAdopted;
  }

  /** Looks through the home once. @param journals those of this process, by signal */
  async run(journals: readonly SignalJournal[], isClosed: () => boolean): Promise<void> {
    const owners = new Owners(this.#base, this.#processes);
    const left = new Set<string>();
    for (const signal of SIGNALS) {
      const journal = journals.find((each) => each.signal === signal);
      const folder = journalFolders(this.#base.home.path).segments(signal);
      for (const name of listed(this.#base.files, folder)) {
        if (isClosed()) return;
        const parts = parseSegmentName(name);
        if (!parts) this.#sayForeign(signal, name);
        if (!parts || owners.isAlive(parts.owner)) continue;
        if (parts.kind === 'archiving') this.#remove(join(folder, name));
        if (parts.kind !== 'segment') continue;
        if (!journal || !(await this.#adopt(journal, folder, name, parts, owners))) left.add(parts.owner);
      }
    }
    owners.removeDead(left);
  }

  /** @returns whether the orphan is nobody's any more */
  async #adopt(
    journal: SignalJournal,
    folder: string,
    name: string,
    parts: SegmentName,
    owners: Owners,
  ): Promise<boolean> {
    const { files, owner, cursor, nextNumber } = this.#base;
    const { signal } = journal;
    const path = join(folder, name);
    const size = files.facts(path)?.size;
    if (size === undefined) return true;
    const settled = owners.settledOf(parts.owner, `${signal}/${name}`, size);
    const done = sizeOf(settled) === size;
    // Made into an archive by an owner that died before it could remove the source.
    if (done && (size === 0 || files.facts(`${path}.gz`))) {
      this.#remove(path);
      return true;
    }
    if (!done && !journal.delivers) return false;
    const newName = formatSegmentName({
      openedAt: parts.openedAt,
      owner: owner.take(),
      number: nextNumber(),
      kind: 'segment',
    });
    const newPath = join(folder, newName);
    const segment = new Segment({
      signal,
      name: newName,
      path: newPath,
      openedAt: parts.openedAt,
      size,
      settled,
      items: 0,
    });
    segment.notBefore = Infinity;
    journal.adopt(segment);
    try {
      if (!cursor.save()) throw Object.assign(new Error('The cursor cannot be saved.'), { code: 'EIO' });
      files.rename(path, newPath);
    } catch (error) {
      journal.forget(segment);
      return systemCode(error) === 'ENOENT';
    }
    segment.count(await countWaiting(files, newPath, gapsOf(settled, size), signal));
    segment.notBefore = 0;
    this.#onAdopted(signal);
    return true;
  }

  #remove(path: string): void {
    try {
      this.#base.files.remove(path);
    } catch {
      // Another process was first, or the next look will do it.
    }
  }

  #sayForeign(signal: Signal, name: string): void {
    this.#base.warn(
      `journal:foreign:${signal}`,
      `telemetry/${signal} holds a file that is not the journal's (${name.slice(0, 100)}). It is left alone and never sent; move it elsewhere.`,
    );
  }
}

/** The owners on a home during one look: who lives, and what the cursors of the dead say. */
class Owners {
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

  /** Removes locks and cursors of dead owners. @param left owners that still have segments */
  removeDead(left: ReadonlySet<string>): void {
    for (const name of listed(this.#base.files, this.#folder)) {
      const file = parseOwnerFile(name);
      if (!file || left.has(file.owner) || this.isAlive(file.owner)) continue;
      try {
        this.#base.files.remove(join(this.#folder, name));
      } catch {
        // Another process was first.
      }
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

function listed(files: FilePort, folder: string): readonly string[] {
  try {
    return [...files.list(folder)].sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Counts the items in parts of a file, a slice in each turn of the event loop. */
async function countWaiting(files: FilePort, path: string, gaps: Ranges, signal: Signal): Promise<number> {
  let count = 0;
  const descriptor = files.openRead(path);
  try {
    const overlap = itemMarkOverlap(signal);
    const buffer = Buffer.alloc(SLICE_BYTES);
    for (const [from, to] of gaps) {
      for (let at = from; at < to; at += SLICE_BYTES - overlap) {
        const read = files.read(descriptor, buffer.subarray(0, Math.min(SLICE_BYTES, to - at)), at);
        count += countItems(signal, buffer.subarray(0, read));
        if (read < SLICE_BYTES) break;
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
    }
  } finally {
    files.close(descriptor);
  }
  return count;
}
