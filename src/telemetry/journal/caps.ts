import { join } from 'node:path';

import { jsonLinesDefaults, systemCode } from '../../storage/index.ts';
import { SIGNALS } from '../signal.ts';
import type { JournalBase } from './journal-base.ts';
import { isRejectedFile, journalFolders } from './layout.ts';
import { parseSegmentName, segmentTime } from './segment-name.ts';
import type { Segment } from './segment.ts';
import type { SignalJournal } from './signal-journal.ts';

/** How much the journal keeps. */
export interface CapLimits {
  /** Bytes of all signals together, archives and rejected batches included. */
  readonly maxTotalBytes: number;
  /** Milliseconds since a file was opened. */
  readonly maxAgeMs: number;
  /** Bytes of a segment: so much is kept free for the one that is written. */
  readonly segmentBytes: number;
}

/** 512 MiB, 7 days, 16 MiB. */
export const capDefaults: CapLimits = {
  maxTotalBytes: jsonLinesDefaults.maxTotalBytes,
  maxAgeMs: jsonLinesDefaults.maxTotalAgeMs,
  segmentBytes: jsonLinesDefaults.maxFileBytes,
};

interface Kept {
  readonly path: string;
  readonly name: string;
  readonly size: number;
}

const STAMP_LENGTH = segmentTime(0).length;

/**
 * Keeps the journal within its caps. Archives and rejected batches take at most half, and go first, the oldest before the others; then goes the
 * oldest segment of the signal that uses the most, and what waited in it is counted.
 */
export class Caps {
  readonly #base: JournalBase;
  readonly #journals: readonly SignalJournal[];
  readonly #limits: CapLimits;
  /** Sizes of files that never change. */
  #sizes = new Map<string, number>();
  #total = 0;
  #opened = 0;

  constructor(base: JournalBase, journals: readonly SignalJournal[], limits: CapLimits = capDefaults) {
    this.#base = base;
    this.#journals = journals;
    this.#limits = limits;
  }

  /** A segment is about to be opened: looks again where it may be the one too many. */
  segmentOpened(): void {
    this.#opened += this.#limits.segmentBytes;
    if (this.#total + this.#opened > this.#limits.maxTotalBytes) this.enforce();
  }

  /** Removes what is too old or too much. */
  enforce(): void {
    const { maxTotalBytes, maxAgeMs, segmentBytes } = this.#limits;
    const oldest = segmentTime(Math.max(0, this.#base.clock.epoch() - maxAgeMs));
    const room = maxTotalBytes - Math.min(segmentBytes, maxTotalBytes / 2);
    const { kept, segmentBytes: inSegments } = this.#inventory();
    let keptBytes = kept.reduce((sum, { size }) => sum + size, 0);
    let total = keptBytes + inSegments;
    for (const file of kept) {
      const tooOld = file.name.slice(0, STAMP_LENGTH) < oldest;
      if (!tooOld && keptBytes <= maxTotalBytes / 2 && total <= room) break;
      if (!this.#remove(file.path)) continue;
      keptBytes -= file.size;
      total -= file.size;
    }
    for (const journal of this.#journals) {
      for (const segment of journal.segments.filter(
        (each) => !each.open && each.name.slice(0, STAMP_LENGTH) < oldest,
      )) {
        total -= this.#evict(journal, segment, 'expired');
      }
    }
    while (total > room) {
      const freed = this.#evictOne();
      if (freed === 0) break;
      total -= freed;
    }
    this.#total = total;
    this.#opened = 0;
  }

  #evictOne(): number {
    const candidates = this.#journals
      .map((journal) => ({
        journal,
        bytes: journal.segments.reduce((sum, { size }) => sum + size, 0),
        first: journal.segments.find((segment) => !segment.open && !segment.isHeld),
      }))
      .sort((a, b) => b.bytes - a.bytes);
    const found = candidates.find(({ first }) => first !== undefined);
    return found?.first ? this.#evict(found.journal, found.first, 'evicted') : 0;
  }

  /** @returns the bytes that are free now */
  #evict(journal: SignalJournal, segment: Segment, reason: 'evicted' | 'expired'): number {
    if (!this.#remove(segment.path)) return 0;
    const { items } = segment.waiting;
    journal.forget(segment);
    if (items === 0) return segment.size;
    this.#base.counts.dropped(journal.signal, reason, items);
    this.#base.warn(
      `journal:${reason}:${journal.signal}`,
      reason === 'evicted'
        ? `The journal is full (${Math.round(this.#limits.maxTotalBytes / 1_048_576)} MiB): the oldest ${journal.signal} that waited are lost and counted. Start the receiver.`
        : `${journal.signal} that waited for ${Math.round(this.#limits.maxAgeMs / 86_400_000)} days are lost and counted. Start the receiver.`,
    );
    return segment.size;
  }

  /** Archives and rejected batches, oldest first, and the bytes of everybody's segments. */
  #inventory(): { readonly kept: readonly Kept[]; readonly segmentBytes: number } {
    const folders = journalFolders(this.#base.home.path);
    const kept: Kept[] = [];
    const sizes = new Map<string, number>();
    let segmentBytes = 0;
    const keep = (folder: string, name: string): void => {
      const path = join(folder, name);
      const size = this.#sizes.get(path) ?? this.#base.files.facts(path)?.size ?? 0;
      sizes.set(path, size);
      kept.push({ path, name, size });
    };
    for (const signal of SIGNALS) {
      const folder = folders.segments(signal);
      for (const name of this.#list(folder)) {
        const kind = parseSegmentName(name)?.kind;
        if (kind === 'archive') keep(folder, name);
        else if (kind !== undefined) segmentBytes += this.#base.files.facts(join(folder, name))?.size ?? 0;
      }
      const rejected = folders.rejected(signal);
      for (const name of this.#list(rejected)) if (isRejectedFile(name)) keep(rejected, name);
    }
    this.#sizes = sizes;
    return { kept: kept.sort((a, b) => (a.name < b.name ? -1 : 1)), segmentBytes };
  }

  #list(folder: string): readonly string[] {
    try {
      return this.#base.files.list(folder);
    } catch {
      return [];
    }
  }

  #remove(path: string): boolean {
    try {
      this.#base.files.remove(path);
      return true;
    } catch (error) {
      return systemCode(error) === 'ENOENT';
    }
  }
}
