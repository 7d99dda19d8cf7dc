import { join } from 'node:path';
import type { ProcessPort } from '../../../host/owners/index.ts';
import { jsonLinesDefaults, systemCode } from '../../../storage/index.ts';
import { SIGNALS } from '../../semconv.ts';
import type { Signal } from '../../semconv.ts';
import { isRejectedFile, journalFolders } from '../format/layout.ts';
import { gapsOf } from '../format/ranges.ts';
import { parseSegmentName, segmentTime } from '../format/segment-name.ts';
import type { JournalContext } from '../journal-context.ts';
import { readWaitingNow } from '../lines/waiting-items.ts';
import type { Segment } from '../segment.ts';
import type { SignalJournal } from '../signal-journal.ts';
import { Owners } from './owners.ts';

/** How much the journal keeps. */
export interface CapLimits {
  /** Bytes of all signals together, archives and rejected batches included. */
  readonly maxTotalBytes: number;
  /** The age of a file since its opening, in milliseconds. */
  readonly maxAgeMs: number;
  /** The number of files of rejected batches; each batch has two. @defaultValue 10,000 */
  readonly maxRejectedFiles?: number;
  /** Bytes of a segment. As much is kept free for the open one. */
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

interface Orphan extends Kept {
  readonly signal: Signal;
}

const MAX_REJECTED_FILES = 10_000;
const STAMP_LENGTH = segmentTime(0).length;

/**
 * Keeps the journal within its caps. Archives and rejected batches take at most half, and go first, oldest first. Then the oldest segment of the
 * signal that uses the most goes, and what waited in it is counted.
 */
export class Caps {
  readonly #context: JournalContext;
  readonly #processes: ProcessPort;
  readonly #journals: readonly SignalJournal[];
  readonly #limits: CapLimits;
  /** Sizes of files that never change. */
  #sizes = new Map<string, number>();
  #owners: Owners | undefined;
  #total = 0;
  #opened = 0;

  constructor(
    context: JournalContext,
    processes: ProcessPort,
    journals: readonly SignalJournal[],
    limits: CapLimits = capDefaults,
  ) {
    this.#context = context;
    this.#processes = processes;
    this.#journals = journals;
    this.#limits = limits;
  }

  /** A segment is about to be opened. Enforces the caps if it could exceed them. */
  segmentOpened(): void {
    this.#opened += this.#limits.segmentBytes;
    if (this.#total + this.#opened > this.#limits.maxTotalBytes) this.enforce();
  }

  /** Removes files that are too old, and then files until the rest fits. */
  enforce(): void {
    const { maxTotalBytes, maxAgeMs, segmentBytes } = this.#limits;
    const oldest = segmentTime(Math.max(0, this.#context.clock.epoch() - maxAgeMs));
    const room = maxTotalBytes - Math.min(segmentBytes, maxTotalBytes / 2);
    const { kept: found, others, segmentBytes: inSegments } = this.#inventory();
    const kept = this.#withoutOldRefusals(found);
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
        (each) => !each.open && !each.isHeld && each.name.slice(0, STAMP_LENGTH) < oldest,
      )) {
        total -= this.#evict(journal, segment, 'expired');
      }
    }
    for (const file of others) {
      const tooOld = file.name.slice(0, STAMP_LENGTH) < oldest;
      if (tooOld || total > room) total -= this.#evictOrphan(file, tooOld ? 'expired' : 'evicted');
      else break;
    }
    while (total > room) {
      const freed = this.#evictOne();
      if (freed === 0) break;
      total -= freed;
    }
    this.#total = total;
    this.#opened = 0;
    this.#owners = undefined;
  }

  /** Removes the oldest rejected batches beyond their number. If a receiver refuses everything, they are too many long before they are too large. */
  #withoutOldRefusals(kept: readonly Kept[]): readonly Kept[] {
    const refused = kept.filter(({ name }) => isRejectedFile(name));
    const excess = refused.length - (this.#limits.maxRejectedFiles ?? MAX_REJECTED_FILES);
    if (excess <= 0) return kept;
    const gone = new Set(refused.slice(0, excess).filter(({ path }) => this.#remove(path)));
    return kept.filter((file) => !gone.has(file));
  }

  /** The disk is full, although the caps hold. Removes what was delivered, up to the size of two segments. */
  makeRoom(): void {
    let wanted = 2 * this.#limits.segmentBytes;
    for (const file of this.#inventory().kept) {
      if (wanted <= 0) return;
      if (this.#remove(file.path)) wanted -= file.size;
    }
    for (const journal of this.#journals) {
      for (const segment of journal.segments.filter((each) => !each.open && each.isSettled)) {
        if (wanted <= 0) return;
        wanted -= this.#evict(journal, segment, 'evicted');
      }
    }
  }

  /**
   * Removes a segment that nobody took over: its owner is dead, and the processes that run send nothing of its signal, or live too short.
   * @returns the bytes that are free now
   */
  #evictOrphan({ path, name, size, signal }: Orphan, reason: 'evicted' | 'expired'): number {
    this.#owners ??= new Owners(this.#context, this.#processes);
    const owner = parseSegmentName(name)?.owner;
    if (owner === undefined || this.#owners.isAlive(owner)) return 0;
    let items = 0;
    try {
      const settled = this.#owners.settledOf(owner, `${signal}/${name}`, size);
      items = readWaitingNow(this.#context.files, path, gapsOf(settled, size), signal).items;
    } catch {
      // A segment that cannot be read cannot be counted either.
    }
    if (!this.#remove(path)) return 0;
    if (items > 0) this.#sayLost(signal, reason, items);
    return size;
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
    if (items > 0) this.#sayLost(journal.signal, reason, items);
    return segment.size;
  }

  #sayLost(signal: Signal, reason: 'evicted' | 'expired', items: number): void {
    this.#context.counts.dropped(signal, reason, items);
    this.#context.warn(
      `journal:${reason}:${signal}`,
      reason === 'evicted'
        ? `The journal is full (${Math.round(this.#limits.maxTotalBytes / 1_048_576)} MiB): the oldest ${signal} that waited are lost and counted. Start the receiver.`
        : `${signal} that waited for ${Math.round(this.#limits.maxAgeMs / 86_400_000)} days are lost and counted. Start the receiver.`,
    );
  }

  /** Lists archives with rejected batches, and segments of other owners, each oldest first. Adds up the bytes of all segments. */
  #inventory(): {
    readonly kept: readonly Kept[];
    readonly others: readonly Orphan[];
    readonly segmentBytes: number;
  } {
    const folders = journalFolders(this.#context.home.path);
    const kept: Kept[] = [];
    const others: Orphan[] = [];
    const me = this.#context.owner.id;
    const sizes = new Map<string, number>();
    const own = new Map(
      this.#journals.flatMap(({ segments }) => segments.map(({ path, size }) => [path, size])),
    );
    let segmentBytes = 0;
    const keep = (folder: string, name: string): void => {
      const path = join(folder, name);
      const size = this.#sizes.get(path) ?? this.#context.files.facts(path)?.size ?? 0;
      sizes.set(path, size);
      kept.push({ path, name, size });
    };
    for (const signal of SIGNALS) {
      const folder = folders.segments(signal);
      for (const name of this.#list(folder)) {
        const parts = parseSegmentName(name);
        if (!parts) continue;
        if (parts.kind === 'archive') {
          keep(folder, name);
          continue;
        }
        const path = join(folder, name);
        const size = own.get(path) ?? this.#context.files.facts(path)?.size ?? 0;
        segmentBytes += size;
        if (parts.kind === 'segment' && parts.owner !== me) others.push({ path, name, size, signal });
      }
      const rejected = folders.rejected(signal);
      for (const name of this.#list(rejected)) if (isRejectedFile(name)) keep(rejected, name);
    }
    this.#sizes = sizes;
    const byName = (a: Kept, b: Kept): number => (a.name < b.name ? -1 : 1);
    return { kept: kept.sort(byName), others: others.sort(byName), segmentBytes };
  }

  #list(folder: string): readonly string[] {
    try {
      return this.#context.files.list(folder);
    } catch {
      return [];
    }
  }

  #remove(path: string): boolean {
    try {
      this.#context.files.remove(path);
      return true;
    } catch (error) {
      return systemCode(error) === 'ENOENT';
    }
  }
}
