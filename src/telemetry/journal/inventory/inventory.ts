import { join, relative } from 'node:path';
import { isOwnerAlive } from '../../../host/owners/index.ts';
import type { ProcessPort } from '../../../host/owners/index.ts';
import type { FileFacts, FilePort } from '../../../storage/index.ts';
import { SIGNALS } from '../../semconv.ts';
import type { Signal } from '../../semconv.ts';
import { settledIn } from '../format/cursor.ts';
import type { Cursor } from '../format/cursor.ts';
import { cursorName, isRejectedFile, journalFolders, parseOwnerFile } from '../format/layout.ts';
import { gapsOf, sizeOf } from '../format/ranges.ts';
import type { Ranges } from '../format/ranges.ts';
import { parseRejectedRecord } from '../format/rejected-record.ts';
import type { RejectedRecord } from '../format/rejected-record.ts';
import { parseSegmentName } from '../format/segment-name.ts';
import type { SegmentName } from '../format/segment-name.ts';
import { readWaitingNow } from '../lines/waiting-items.ts';
import { OwnerFiles } from '../owner-files.ts';
import { listed, orAbsent } from '../present-files.ts';

/** Files of one kind. */
export interface FileTotal {
  files: number;
  bytes: number;
}

/** The part of segments that waits to be delivered. */
export interface Undelivered extends FileTotal {
  items: number;
  /** When the oldest item came to be, in milliseconds since 1970; `undefined` if nothing waits. */
  oldestAt: number | undefined;
}

/** The files of one signal in a journal. */
export interface SignalInventory {
  readonly signal: Signal;
  readonly segments: FileTotal;
  readonly undelivered: Undelivered;
  /** The part of `undelivered` whose process has been gone for more than a minute. */
  readonly orphaned: Undelivered;
  readonly archives: FileTotal;
  readonly rejected: FileTotal & { items: number; last: RejectedRecord | undefined };
}

/** One start of a process that writes, or wrote, to the journal. */
export interface OwnerInventory {
  readonly owner: string;
  readonly alive: boolean;
  readonly pid: number | undefined;
  readonly host: string | undefined;
  readonly startedAt: string | undefined;
}

/** All files in the journal of a home. */
export interface JournalInventory {
  readonly signals: readonly SignalInventory[];
  readonly owners: readonly OwnerInventory[];
  /** Paths of files that are not the journal's, relative to its folder. */
  readonly foreign: readonly string[];
  /** Paths of cursors that cannot be used, relative to the journal's folder. What they covered is sent again. */
  readonly unreadable: readonly string[];
}

/** What {@link takeInventory} looks at, and with what. */
export interface InventoryParts {
  /** Absolute path of the home. */
  readonly home: string;
  readonly files: FilePort;
  readonly processes: ProcessPort;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const ORPHAN_AFTER_MS = 60_000;

/**
 * Takes stock of a journal without changing it. Files that vanish meanwhile are left out.
 * @throws what the file system throws
 */
export function takeInventory(parts: InventoryParts): JournalInventory {
  const inventory = new Inventory(parts);
  const owners = inventory.owners();
  const signals = SIGNALS.map((signal) => inventory.signal(signal));
  return { signals, owners, foreign: inventory.foreign, unreadable: [...inventory.unreadable] };
}

/** One look at a journal. The owners come first: a cursor that is read later than the size of its segment could seem to cover too much. */
class Inventory {
  readonly foreign: string[] = [];
  /** Paths of cursors that cannot be used. */
  readonly unreadable = new Set<string>();
  readonly #parts: InventoryParts;
  readonly #folders: ReturnType<typeof journalFolders>;
  readonly #alive = new Set<string>();
  readonly #touchedAt = new Map<string, number>();
  readonly #cursors = new Map<string, Cursor>();

  constructor(parts: InventoryParts) {
    this.#parts = parts;
    this.#folders = journalFolders(parts.home);
  }

  owners(): readonly OwnerInventory[] {
    const folder = this.#folders.owners;
    const ownerFiles = new OwnerFiles(this.#parts.files, folder);
    const owners: OwnerInventory[] = [];
    for (const name of ownerFiles.names()) {
      const parsed = parseOwnerFile(name);
      const facts = this.#factsOf(join(folder, name));
      if (!facts || parsed?.kind === 'replacing') continue;
      if (!parsed || facts.kind !== 'file') {
        if (name.endsWith('.unreadable')) this.unreadable.add(this.#shown(folder, name));
        else this.foreign.push(this.#shown(folder, name));
      } else if (parsed.kind === 'lock') {
        const owner = this.#lock(ownerFiles, parsed.owner);
        if (owner) owners.push(owner);
      } else {
        const reading = ownerFiles.cursorOf(parsed.owner);
        if (reading?.cursor) this.#cursors.set(parsed.owner, reading.cursor);
        else if (reading) this.unreadable.add(this.#shown(folder, name));
      }
    }
    return owners;
  }

  signal(signal: Signal): SignalInventory {
    const inventory: SignalInventory = {
      signal,
      segments: { files: 0, bytes: 0 },
      undelivered: nothing(),
      orphaned: nothing(),
      archives: { files: 0, bytes: 0 },
      rejected: { files: 0, bytes: 0, items: 0, last: undefined },
    };
    const folder = this.#folders.segments(signal);
    for (const name of listed(this.#parts.files, folder)) {
      const parsed = parseSegmentName(name);
      const facts = this.#factsOf(join(folder, name));
      if (!parsed || (facts && facts.kind !== 'file')) this.foreign.push(this.#shown(folder, name));
      else if (facts && parsed.kind === 'archive') add(inventory.archives, { files: 1, bytes: facts.size });
      else if (facts && parsed.kind === 'segment') this.#addSegment(inventory, name, parsed, facts);
    }
    this.#addRejected(inventory);
    return inventory;
  }

  #lock(ownerFiles: OwnerFiles, owner: string): OwnerInventory | undefined {
    const { processes, now } = this.#parts;
    const found = ownerFiles.lockOf(owner);
    if (!found) return undefined;
    this.#touchedAt.set(owner, found.touchedAt);
    const alive = isOwnerAlive(found, processes, now);
    if (alive) this.#alive.add(owner);
    const { pid, host, startedAt } = found.lock ?? {};
    return { owner, alive, pid, host, startedAt };
  }

  #addSegment(
    inventory: SignalInventory,
    name: string,
    { owner, openedAt }: SegmentName,
    facts: FileFacts,
  ): void {
    const { files, now } = this.#parts;
    const { signal } = inventory;
    const { size, changedAt } = facts;
    add(inventory.segments, { files: 1, bytes: size });
    const gaps = gapsOf(this.#settledOf(owner, `${signal}/${name}`, size), size);
    if (gaps.length === 0) return;
    const path = join(this.#folders.segments(signal), name);
    const waiting = orAbsent(() => readWaitingNow(files, path, gaps, signal));
    if (!waiting) return;
    const { items, oldestAt = openedAt } = waiting;
    const undelivered: Undelivered = { files: 1, bytes: sizeOf(gaps), items, oldestAt };
    addUndelivered(inventory.undelivered, undelivered);
    const lastSign = Math.max(changedAt, this.#touchedAt.get(owner) ?? 0);
    if (!this.#alive.has(owner) && now - lastSign > ORPHAN_AFTER_MS) {
      addUndelivered(inventory.orphaned, undelivered);
    }
  }

  #settledOf(owner: string, key: string, size: number): Ranges {
    const cursor = this.#cursors.get(owner);
    if (!cursor) return [];
    const settled = settledIn(cursor, key, size);
    if (settled) return settled;
    this.unreadable.add(this.#shown(this.#folders.owners, cursorName(owner)));
    this.#cursors.delete(owner);
    return [];
  }

  #addRejected({ signal, rejected: total }: SignalInventory): void {
    const folder = this.#folders.rejected(signal);
    for (const name of listed(this.#parts.files, folder)) {
      const path = join(folder, name);
      const facts = this.#factsOf(path);
      if (!facts) continue;
      if (!isRejectedFile(name) || facts.kind !== 'file') {
        this.foreign.push(this.#shown(folder, name));
      } else if (name.endsWith('.jsonl')) {
        add(total, { files: 1, bytes: facts.size });
      } else {
        const record = parseRejectedRecord(orAbsent(() => this.#parts.files.readText(path)) ?? '');
        if (!record) continue;
        total.items += record.items;
        if (total.last === undefined || record.time >= total.last.time) total.last = record;
      }
    }
  }

  #factsOf(path: string): FileFacts | undefined {
    return orAbsent(() => this.#parts.files.facts(path));
  }

  #shown(folder: string, name: string): string {
    return relative(this.#folders.root, join(folder, name));
  }
}

function nothing(): Undelivered {
  return { files: 0, bytes: 0, items: 0, oldestAt: undefined };
}

function add(total: FileTotal, part: FileTotal): void {
  total.files += part.files;
  total.bytes += part.bytes;
}

function addUndelivered(total: Undelivered, part: Undelivered): void {
  add(total, part);
  total.items += part.items;
  total.oldestAt = Math.min(
    total.oldestAt ?? Number.POSITIVE_INFINITY,
    part.oldestAt ?? Number.POSITIVE_INFINITY,
  );
}
