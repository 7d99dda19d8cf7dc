import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { join, relative } from 'node:path';

import { systemCode } from '../../../storage/index.ts';
import { parseCursor } from '../format/cursor.ts';
import type { Cursor } from '../format/cursor.ts';
import { countItems, itemMarkOverlap } from '../../otlp/item-count.ts';
import { isRejectedFile, journalFolders, parseOwnerFile } from '../format/layout.ts';
import { isOwnerAlive, parseOwnerLock } from '../../../host/owners/index.ts';
import type { ProcessPort } from '../../../host/owners/index.ts';
import { gapsOf, sizeOf } from '../format/ranges.ts';
import type { Range } from '../format/ranges.ts';
import { parseRejectedRecord } from '../format/rejected-record.ts';
import type { RejectedRecord } from '../format/rejected-record.ts';
import { parseSegmentName } from '../format/segment-name.ts';
import { SIGNALS } from '../../semconv.ts';
import type { Signal } from '../../semconv.ts';
import { firstItemTime } from '../../otlp/first-item-time.ts';

/** Files of one kind. */
export interface FileTotal {
  files: number;
  bytes: number;
}

/** What waits in segments. */
export interface Undelivered extends FileTotal {
  items: number;
  /** Milliseconds since 1970; `undefined` where nothing waits. */
  oldestAt: number | undefined;
}

/** What the journal holds of one signal. */
export interface SignalInventory {
  readonly signal: Signal;
  readonly segments: FileTotal;
  readonly undelivered: Undelivered;
  /** The part of `undelivered` whose process is gone, and has been for longer than a minute. */
  readonly orphaned: Undelivered;
  readonly archives: FileTotal;
  readonly rejected: FileTotal & { items: number; last: RejectedRecord | undefined };
}

/** A process start that writes, or wrote, to the journal. */
export interface OwnerInventory {
  readonly owner: string;
  readonly alive: boolean;
  readonly pid: number | undefined;
  readonly host: string | undefined;
  readonly startedAt: string | undefined;
}

/** Everything that lies in the journal of a home. */
export interface JournalInventory {
  readonly signals: readonly SignalInventory[];
  readonly owners: readonly OwnerInventory[];
  /** Files that are not the journal's, below its folder. */
  readonly foreign: readonly string[];
  /** Cursors that cannot be used, below the journal's folder; what they covered is sent again. */
  readonly unreadable: readonly string[];
}

const ORPHAN_AFTER_MS = 60_000;
const CHUNK_BYTES = 1_048_576;

/** Takes stock of a journal without changing it. Files that vanish meanwhile are left out. @throws what the file system throws */
export function takeInventory(home: string, processes: ProcessPort, now: number): JournalInventory {
  const folders = journalFolders(home);
  const foreign: string[] = [];
  const unreadable: string[] = [];
  const found = readOwners(folders.owners, processes, now);
  for (const name of found.foreign) foreign.push(relative(folders.root, join(folders.owners, name)));
  for (const name of found.unreadable) unreadable.push(relative(folders.root, join(folders.owners, name)));

  const signals = SIGNALS.map((signal): SignalInventory => {
    const inventory: SignalInventory = {
      signal,
      segments: { files: 0, bytes: 0 },
      undelivered: nothing(),
      orphaned: nothing(),
      archives: { files: 0, bytes: 0 },
      rejected: { files: 0, bytes: 0, items: 0, last: undefined },
    };
    const folder = folders.segments(signal);
    for (const name of list(folder)) {
      const parsed = parseSegmentName(name);
      if (!parsed) {
        foreign.push(relative(folders.root, join(folder, name)));
        continue;
      }
      const path = join(folder, name);
      const facts = factsOf(path);
      if (facts === 'foreign') foreign.push(relative(folders.root, path));
      if (!facts || facts === 'foreign' || parsed.kind === 'archiving') continue;
      const total = parsed.kind === 'archive' ? inventory.archives : inventory.segments;
      total.files += 1;
      total.bytes += facts.size;
      if (parsed.kind === 'archive') continue;
      const delivered = found.cursors.get(parsed.owner)?.segments.get(`${signal}/${name}`) ?? [];
      const gaps = gapsOf(delivered, facts.size);
      if (gaps.length === 0) continue;
      const waiting = orAbsent(() => readWaiting(path, signal, gaps, parsed.openedAt));
      if (!waiting) continue;
      add(inventory.undelivered, waiting);
      const lastSign = Math.max(facts.mtimeMs, found.touchedAt.get(parsed.owner) ?? 0);
      if (!found.alive.has(parsed.owner) && now - lastSign > ORPHAN_AFTER_MS)
        add(inventory.orphaned, waiting);
    }
    readRejected(folders.rejected(signal), inventory.rejected, (name) =>
      foreign.push(relative(folders.root, join(folders.rejected(signal), name))),
    );
    return inventory;
  });
  return { signals, owners: found.owners, foreign, unreadable };
}

interface Owners {
  readonly owners: readonly OwnerInventory[];
  readonly alive: ReadonlySet<string>;
  readonly touchedAt: ReadonlyMap<string, number>;
  readonly cursors: ReadonlyMap<string, Cursor>;
  readonly foreign: readonly string[];
  readonly unreadable: readonly string[];
}

function readOwners(folder: string, processes: ProcessPort, now: number): Owners {
  const owners: OwnerInventory[] = [];
  const alive = new Set<string>();
  const touchedAt = new Map<string, number>();
  const cursors = new Map<string, Cursor>();
  const foreign: string[] = [];
  const unreadable: string[] = [];
  for (const name of list(folder)) {
    const parsed = parseOwnerFile(name);
    const path = join(folder, name);
    const facts = factsOf(path);
    if (!facts || parsed?.kind === 'replacing') continue;
    if (!parsed || facts === 'foreign') {
      (name.endsWith('.unreadable') ? unreadable : foreign).push(name);
      continue;
    }
    const content = orAbsent(() => readFileSync(path, 'utf8'));
    if (content === undefined) continue;
    if (parsed.kind === 'cursor') {
      const { cursor } = parseCursor(content);
      if (cursor) cursors.set(parsed.owner, cursor);
      else unreadable.push(name);
      continue;
    }
    const lock = parseOwnerLock(content);
    touchedAt.set(parsed.owner, facts.mtimeMs);
    const isAlive = isOwnerAlive({ lock, touchedAt: facts.mtimeMs }, processes, now);
    if (isAlive) alive.add(parsed.owner);
    owners.push({
      owner: parsed.owner,
      alive: isAlive,
      pid: lock?.pid,
      host: lock?.host,
      startedAt: lock?.startedAt,
    });
  }
  return { owners, alive, touchedAt, cursors, foreign, unreadable };
}

function readRejected(
  folder: string,
  total: SignalInventory['rejected'],
  onForeign: (name: string) => void,
): void {
  for (const name of list(folder)) {
    const path = join(folder, name);
    const facts = factsOf(path);
    if (!facts) continue;
    if (!isRejectedFile(name) || facts === 'foreign') {
      onForeign(name);
      continue;
    }
    if (name.endsWith('.jsonl')) {
      total.files += 1;
      total.bytes += facts.size;
      continue;
    }
    const record = parseRejectedRecord(orAbsent(() => readFileSync(path, 'utf8')) ?? '');
    if (!record) continue;
    total.items += record.items;
    if (total.last === undefined || record.time >= total.last.time) total.last = record;
  }
}

function nothing(): Undelivered {
  return { files: 0, bytes: 0, items: 0, oldestAt: undefined };
}

function add(total: Undelivered, part: Undelivered): void {
  total.files += part.files;
  total.bytes += part.bytes;
  total.items += part.items;
  total.oldestAt = Math.min(
    total.oldestAt ?? Number.POSITIVE_INFINITY,
    part.oldestAt ?? Number.POSITIVE_INFINITY,
  );
}

/** Counts what lies in the gaps, in chunks: a segment may be large. */
function readWaiting(path: string, signal: Signal, gaps: readonly Range[], openedAt: number): Undelivered {
  const descriptor = openSync(path, 'r');
  try {
    let items = 0;
    let oldestAt: number | undefined;
    const overlap = itemMarkOverlap(signal);
    const buffer = Buffer.alloc(overlap + CHUNK_BYTES);
    for (const [from, to] of gaps) {
      let kept = 0;
      for (let at = from; at < to;) {
        const read = readSync(descriptor, buffer, kept, Math.min(CHUNK_BYTES, to - at), at);
        if (read === 0) break;
        const bytes = buffer.subarray(0, kept + read);
        items += countItems(signal, bytes);
        oldestAt ??= firstItemTime(signal, bytes);
        kept = Math.min(overlap, bytes.byteLength);
        bytes.copyWithin(0, bytes.byteLength - kept);
        at += read;
      }
    }
    return { files: 1, bytes: sizeOf(gaps), items, oldestAt: oldestAt ?? openedAt };
  } finally {
    closeSync(descriptor);
  }
}

function list(folder: string): readonly string[] {
  return orAbsent(() => readdirSync(folder).toSorted()) ?? [];
}

/** What is known of a file; `foreign` for a folder, a link or a socket, whatever its name: the journal makes none. */
function factsOf(path: string): Stats | 'foreign' | undefined {
  const facts = orAbsent(() => lstatSync(path));
  return facts?.isFile() === false ? 'foreign' : facts;
}

/** What a question to the file system gives; `undefined` where the file is not, or no longer, there. */
function orAbsent<T>(question: () => T): T | undefined {
  try {
    return question();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
