import { join } from 'node:path';
import type { ProcessPort } from '../../../host/owners/index.ts';
import { systemCode } from '../../../storage/index.ts';
import { SIGNALS } from '../../semconv.ts';
import type { Signal } from '../../semconv.ts';
import { journalFolders } from '../format/layout.ts';
import { gapsOf, sizeOf } from '../format/ranges.ts';
import { formatSegmentName, parseSegmentName } from '../format/segment-name.ts';
import type { SegmentName } from '../format/segment-name.ts';
import type { JournalContext } from '../journal-context.ts';
import { readWaiting } from '../lines/waiting-items.ts';
import { listed } from '../present-files.ts';
import { Segment } from '../segment.ts';
import type { SignalJournal } from '../signal-journal.ts';
import { Owners } from './owners.ts';
import { nextTurn, Slices } from './slices.ts';

/** How many orphans are taken over with one save of the cursor. The event loop turns between two such groups. */
const BATCH = 32;

/** A segment of a dead owner that is about to be taken over. */
interface Orphan {
  readonly journal: SignalJournal;
  readonly owner: string;
  readonly path: string;
  readonly segment: Segment;
}

/**
 * Takes over segments whose owner has died. Two steps, in this order: first our cursor records which bytes the dead owner had delivered, then the
 * file is renamed to carry our id. The rename is the lock: a second adopter finds the file gone. A crash between the steps leaves the file under
 * the old name, so that the next adopter repeats both.
 */
export class Adoption {
  readonly #context: JournalContext;
  readonly #processes: ProcessPort;
  readonly #onAdopted: (signal: Signal) => void;
  readonly #slices: Slices;

  constructor(context: JournalContext, processes: ProcessPort, onAdopted: (signal: Signal) => void) {
    this.#context = context;
    this.#processes = processes;
    this.#onAdopted = onAdopted;
    this.#slices = new Slices(context.clock);
  }

  /**
   * Looks through the home once.
   * @param journals the journals of this process
   * @param isClosed whether to stop, asked between two files
   */
  async run(journals: readonly SignalJournal[], isClosed: () => boolean): Promise<void> {
    const owners = new Owners(this.#context, this.#processes);
    const left = new Set<string>();
    let found: Orphan[] = [];
    for (const signal of SIGNALS) {
      const journal = journals.find((each) => each.signal === signal);
      const folder = journalFolders(this.#context.home.path).segments(signal);
      for (const name of listed(this.#context.files, folder)) {
        await this.#slices.pause();
        if (isClosed()) return;
        const parts = parseSegmentName(name);
        if (!parts) this.#sayForeign(signal, name);
        if (!parts || owners.isAlive(parts.owner)) continue;
        if (parts.kind === 'archiving') this.#remove(join(folder, name));
        if (parts.kind !== 'segment') continue;
        const orphan = this.#find(journal, folder, name, parts, owners);
        if (orphan === 'left') left.add(parts.owner);
        if (typeof orphan === 'object') found.push(orphan);
        if (found.length < BATCH) continue;
        await this.#take(found, left);
        found = [];
      }
    }
    if (isClosed()) return;
    await this.#take(found, left);
    const removing = owners.removeDead(left);
    while (!removing.next().done) await this.#slices.pause();
  }

  /** @returns the orphan to take over; `done` if there is nothing to take over; `left` if the file stays the dead owner's */
  #find(
    journal: SignalJournal | undefined,
    folder: string,
    name: string,
    { owner, openedAt }: SegmentName,
    owners: Owners,
  ): Orphan | 'done' | 'left' {
    if (!journal) return 'left';
    const { files } = this.#context;
    const { signal } = journal;
    const path = join(folder, name);
    const facts = files.facts(path);
    if (!facts) return 'done';
    const { size } = facts;
    if (facts.kind !== 'file') {
      this.#sayForeign(signal, name);
      return 'left';
    }
    const settled = owners.settledOf(owner, `${signal}/${name}`, size);
    const done = sizeOf(settled) === size;
    // Made into an archive by an owner that died before it could remove the source.
    if (done && (size === 0 || files.facts(`${path}.gz`))) {
      this.#remove(path);
      return 'done';
    }
    if (!done && !journal.delivers) return 'left';
    const newName = formatSegmentName({
      openedAt,
      owner: this.#context.owner.take(),
      number: this.#context.nextNumber(),
      kind: 'segment',
    });
    const newPath = join(folder, newName);
    const segment = new Segment({ signal, name: newName, path: newPath, openedAt, size, settled, items: 0 });
    segment.notBefore = Number.POSITIVE_INFINITY;
    return { journal, owner, path, segment };
  }

  async #take(orphans: readonly Orphan[], left: Set<string>): Promise<void> {
    if (orphans.length === 0) return;
    const { cursor, files } = this.#context;
    // From here to the renames in one turn of the event loop: a process that ended in between would leave a cursor that does not fit the names.
    for (const { journal, segment } of orphans) journal.adopt(segment);
    const saved = cursor.save();
    const taken = orphans.filter(({ journal, owner, path, segment }) => {
      try {
        if (saved) files.rename(path, segment.path);
        else left.add(owner);
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') left.add(owner);
        journal.forget(segment);
        return false;
      }
      if (!saved) journal.forget(segment);
      return saved;
    });
    for (const { segment } of taken) {
      await this.#slices.pause();
      await this.#count(segment);
    }
  }

  /** Counts what waits in a segment, and then lets the lanes read it. */
  async #count(segment: Segment): Promise<void> {
    const { size, settled, signal, path } = segment;
    try {
      const reading = readWaiting(this.#context.files, path, gapsOf(settled, size), signal);
      let step = reading.next();
      for (; !step.done; step = reading.next()) await nextTurn();
      segment.count(step.value.items);
    } catch {
      // The lane that reads it next finds what is wrong, and warns.
    }
    segment.notBefore = 0;
    this.#onAdopted(signal);
  }

  #remove(path: string): void {
    try {
      this.#context.files.remove(path);
    } catch {
      // Another process was first, or the next look removes it.
    }
  }

  #sayForeign(signal: Signal, name: string): void {
    this.#context.warn(
      `journal:foreign:${signal}`,
      `telemetry/${signal} holds a file that is not the journal's (${name.slice(0, 100)}). It is left alone and never sent; move it elsewhere.`,
    );
  }
}
