import { join } from 'node:path';
import { JsonLinesWriter, systemCode } from '../../storage/index.ts';
import { countItems } from '../otlp/index.ts';
import type { Signal } from '../semconv.ts';
import { TELEMETRY_FOLDER } from './format/layout.ts';
import type { Range } from './format/ranges.ts';
import { formatSegmentName } from './format/segment-name.ts';
import type { JournalContext } from './journal-context.ts';
import { LineReader } from './lines/line-reader.ts';
import type { ReadLine } from './lines/line-reader.ts';
import { RejectedFolder } from './rejected-folder.ts';
import type { SetAside } from './rejected-folder.ts';
import { Segment } from './segment.ts';
import type { Place } from './segment.ts';

/** What waits to be delivered. */
export interface Waiting {
  readonly items: number;
  readonly bytes: number;
  /** Milliseconds since 1970; `undefined` if nothing waits. */
  readonly oldestAt: number | undefined;
}

/** The bytes of a batch on the disk, or why it is not there. */
export type AppendOutcome =
  | { readonly place: Place }
  | { readonly place?: undefined; readonly code: string; readonly error: unknown };

/** A batch that waits on the disk. */
export interface BacklogLine {
  readonly place: Place;
  readonly body: Uint8Array;
  readonly items: number;
}

const UNREADABLE_FOR_MS = 60_000;

/** The journal of one signal. It appends batches, and hands out waiting ones, oldest first. */
export class SignalJournal {
  readonly signal: Signal;
  /** Whether lines are sent anywhere. If not, each is settled once it is written. */
  readonly delivers: boolean;
  readonly #context: JournalContext;
  readonly #writer: JsonLinesWriter;
  readonly #reader: LineReader;
  readonly #rejected: RejectedFolder;
  /** Oldest first. */
  readonly #segments: Segment[] = [];
  readonly #deferred: Place[] = [];

  constructor(context: JournalContext, signal: Signal, delivers: boolean) {
    this.#context = context;
    this.signal = signal;
    this.delivers = delivers;
    const { home, owner, clock, files, nextNumber } = context;
    this.#writer = new JsonLinesWriter({
      folder: () => home.folder(TELEMETRY_FOLDER, signal),
      naming: (openedAt) =>
        formatSegmentName({ openedAt, owner: owner.take(), number: nextNumber(), kind: 'segment' }),
      maxTotalBytes: Number.POSITIVE_INFINITY,
      maxTotalAgeMs: Number.POSITIVE_INFINITY,
      clock,
      files,
    });
    this.#reader = new LineReader(files);
    this.#rejected = new RejectedFolder(context);
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Everything on disk that is not settled, including batches that are also in memory. */
  get waiting(): Waiting {
    let items = 0;
    let bytes = 0;
    let oldestAt: number | undefined;
    for (const segment of this.#segments) {
      if (segment.isSettled) continue;
      items += segment.waiting.items;
      bytes += segment.waiting.bytes;
      oldestAt = Math.min(oldestAt ?? Number.POSITIVE_INFINITY, segment.oldestAt);
    }
    return { items, bytes, oldestAt };
  }

  /** Appends a batch, synchronously. The caller's lane holds it until it settles or releases it. Never throws. */
  append(body: Uint8Array, items: number): AppendOutcome {
    const before = this.#writer.openFile;
    const result = this.#writer.append([body]);
    if (this.#writer.openFile !== before) this.#close(before);
    if (!result.written) {
      if (result.reason === 'disk_full' && result.error !== undefined) this.#context.onDiskFull();
      return { code: result.code, error: result.error };
    }
    if (!result.place) throw new TypeError('A batch was appended without a place.');
    const range: Range = [result.place.from, result.place.to];
    const segment = this.#openSegment(result.place.file);
    segment.grow(range, items, this.#context.clock.epoch());
    const place = { segment, range };
    if (this.delivers) segment.hold(range, items);
    else this.settle(place, items);
    return { place };
  }

  /**
   * The oldest batch that waits and that no lane holds. The caller's lane holds it from now on. Damaged lines on the way are set aside.
   * @returns `undefined` if there is none; then deferred batches wait again
   */
  next(): BacklogLine | undefined {
    for (const segment of this.#segments.slice()) {
      if (segment.notBefore > this.#context.clock.now()) continue;
      for (let range = segment.next; range; range = segment.next) {
        const line = this.#read(segment, range);
        if (!line) break;
        const place = { segment, range: line.range };
        if (line.whole && line.bytes.byteLength === 0) {
          this.settle(place, 0);
          continue;
        }
        const items = countItems(this.signal, line.bytes);
        if (line.whole && isJson(line.bytes)) {
          segment.hold(line.range, items);
          return { place, body: line.bytes, items };
        }
        this.#setDamagedAside(place, line.bytes, Math.max(1, items));
      }
    }
    for (const place of this.#deferred.splice(0)) this.release(place);
    return undefined;
  }

  /** A batch was delivered, set aside or counted as lost. */
  settle({ segment, range }: Place, items: number): void {
    segment.settle(range, items);
    this.#context.cursor.changed();
  }

  /** A batch waits on the disk alone from now on. If its file is gone, it is lost. */
  release({ segment, range }: Place): void {
    const items = segment.release(range);
    if (segment.isLost) this.#context.counts.dropped(this.signal, 'disk', items);
  }

  /** A batch waits until all others were tried. */
  defer(place: Place): void {
    this.#deferred.push(place);
  }

  /** Sets a batch aside, with the reason. */
  setAside(batch: SetAside): void {
    this.#rejected.keep(this.signal, batch);
  }

  /** Adds a segment that was taken over. */
  adopt(segment: Segment): void {
    this.#segments.push(segment);
    this.#segments.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Forgets a segment whose file is gone. */
  forget(segment: Segment): void {
    const index = this.#segments.indexOf(segment);
    if (index !== -1) this.#segments.splice(index, 1);
    this.#reader.close();
    this.#context.cursor.changed();
  }

  /** Ends the open segment if it is old. */
  rotate(): void {
    const before = this.#writer.openFile;
    this.#writer.rotate();
    if (this.#writer.openFile !== before) this.#close(before);
  }

  /** Finds segments that somebody removed, and counts what waited in them. Without it, an outage would hide the loss. */
  checkFiles(): void {
    for (const _ of this.checkingFiles());
  }

  /** The same, one file at each step. */
  *checkingFiles(): Generator<undefined, void> {
    for (const segment of this.#segments.slice()) {
      try {
        if (!this.#context.files.facts(segment.path)) this.#vanished(segment);
      } catch {
        // The next read finds out what is wrong.
      }
      yield;
    }
  }

  /** Ends the open segment: the next batch opens another. */
  endSegment(): void {
    const before = this.#writer.openFile;
    this.#writer.rotate('any');
    this.#close(before);
    this.#reader.close();
  }

  close(): void {
    this.endSegment();
    this.#writer.close();
  }

  #close(name: string | undefined): void {
    const segment = this.#segments.find((each) => each.name === name);
    if (segment) segment.open = false;
  }

  #openSegment(name: string): Segment {
    const known = this.#segments.findLast((segment) => segment.name === name);
    if (known) return known;
    const { clock, home } = this.#context;
    const segment = new Segment({
      signal: this.signal,
      name,
      path: join(home.folder(TELEMETRY_FOLDER, this.signal), name),
      openedAt: clock.epoch(),
      size: 0,
      settled: [],
      items: 0,
    });
    segment.open = true;
    this.#segments.push(segment);
    this.#context.onSegment();
    return segment;
  }

  #read(segment: Segment, range: Range): ReadLine | undefined {
    try {
      const line = this.#reader.lineAt(segment.path, range);
      if (line) return line;
      // The file is shorter than it was.
      this.#lose(segment, `${segment.key} was cut short by somebody else.`);
    } catch (error) {
      this.#reader.close();
      const code = systemCode(error);
      if (code === 'ENOENT') this.#vanished(segment);
      else {
        segment.notBefore = this.#context.clock.now() + UNREADABLE_FOR_MS;
        this.#context.warn(
          `journal:read:${code}`,
          `The journal cannot read ${segment.key}: ${code}. It is tried again each minute.`,
        );
      }
    }
    return undefined;
  }

  /** Somebody removed the file, or a process adopted it that took this one for dead. In the second case nothing is lost. */
  #vanished(segment: Segment): void {
    const stamp = segment.name.slice(0, segment.name.indexOf('-', segment.name.indexOf('T')) + 1);
    let adopted = false;
    try {
      adopted = this.#context.files
        .list(this.#context.home.folder(TELEMETRY_FOLDER, this.signal))
        .some((name) => name.startsWith(stamp));
    } catch {
      // The folder is gone too.
    }
    if (adopted) this.forget(segment);
    else this.#lose(segment, `${segment.key} was removed before it was sent.`);
  }

  #lose(segment: Segment, what: string): void {
    const { counts, warn } = this.#context;
    // What a lane holds is in memory too, and may still be delivered.
    counts.dropped(this.signal, 'disk', segment.waiting.items - segment.heldItems);
    segment.isLost = true;
    warn(`journal:lost:${this.signal}`, `${what} What waited in it is lost and counted.`);
    this.forget(segment);
  }

  #setDamagedAside(place: Place, line: Uint8Array, items: number): void {
    const { counts, warn } = this.#context;
    const key = place.segment.key;
    this.setAside({ line, reason: 'damaged', items, target: 'none' });
    counts.dropped(this.signal, 'damaged', items);
    this.settle(place, items);
    warn(
      `journal:damaged:${this.signal}`,
      `A line of ${key} is damaged (at byte ${place.range[0]}). It is counted, and lies in telemetry/rejected/${this.signal}.`,
    );
  }
}

function isJson(line: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(
      Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8'),
    );
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
