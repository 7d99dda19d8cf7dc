import type { Signal } from '../semconv.ts';
import { addRange, gapsOf, removeRange, sizeOf } from './format/ranges.ts';
import type { Range, Ranges } from './format/ranges.ts';

/** Where a batch stands in the journal. */
export interface Place {
  readonly segment: Segment;
  readonly range: Range;
}

/** What is known of a new segment. */
export interface SegmentParts {
  readonly signal: Signal;
  readonly name: string;
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  readonly size: number;
  /** What need not be sent. */
  readonly settled: Ranges;
  /** Items that wait. */
  readonly items: number;
}

/** How far apart the marks are that tell the age of what waits. */
const MARK_EVERY_MS = 10_000;

/**
 * One file of lines of this owner: which bytes are settled (delivered, set aside or counted as lost), which a lane holds right now, and which
 * wait. Nothing in here touches the disk.
 */
export class Segment {
  readonly signal: Signal;
  readonly name: string;
  readonly path: string;
  readonly openedAt: number;
  /** Whether lines may still be added. */
  open: boolean = false;
  /** Monotonic time before which it is not read again, after a disk that failed. */
  notBefore = 0;
  /** Whether its file is gone, with what waited in it. */
  isLost: boolean = false;
  #size: number;
  #settled: Ranges;
  #held: Ranges = [];
  /** Items of what is held, by offset. */
  readonly #itemsHeld = new Map<number, number>();
  #items: number;
  readonly #marks: { readonly offset: number; readonly time: number }[] = [];

  constructor({ signal, name, path, openedAt, size, settled, items }: SegmentParts) {
    this.signal = signal;
    this.name = name;
    this.path = path;
    this.openedAt = openedAt;
    this.#size = size;
    this.#settled = settled;
    this.#items = items;
  }

  /** The name in a cursor. */
  get key(): string {
    return `${this.signal}/${this.name}`;
  }

  get size(): number {
    return this.#size;
  }

  get settled(): Ranges {
    return this.#settled;
  }

  /** What is not settled: items and bytes. */
  get waiting(): { readonly items: number; readonly bytes: number } {
    return { items: this.#items, bytes: this.#size - sizeOf(this.#settled) };
  }

  get isSettled(): boolean {
    return this.#size === sizeOf(this.#settled);
  }

  /** When the first line that waits was written, about; the opening where it is not known better. */
  get oldestAt(): number {
    const from = gapsOf(this.#settled, this.#size)[0]?.[0] ?? this.#size;
    return this.#marks.findLast(({ offset }) => offset <= from)?.time ?? this.openedAt;
  }

  /** The first bytes that wait and that no lane holds. */
  get next(): Range | undefined {
    const taken = this.#held.reduce(addRange, this.#settled);
    return gapsOf(taken, this.#size)[0];
  }

  /** Notes lines that were appended. */
  grow(range: Range, items: number, time: number): void {
    this.#size = range[1];
    this.#items += items;
    const last = this.#marks.at(-1);
    if (!last || time - last.time >= MARK_EVERY_MS) this.#marks.push({ offset: range[0], time });
  }

  /** Notes how many items wait in it, once they are counted. */
  count(items: number): void {
    this.#items = items;
  }

  /** Whether a lane has any of it. */
  get isHeld(): boolean {
    return this.#held.length > 0;
  }

  /** Items that lanes have. */
  get heldItems(): number {
    return this.#itemsHeld.values().reduce((sum, items) => sum + items, 0);
  }

  /** A lane has it. */
  hold(range: Range, items: number): void {
    this.#held = addRange(this.#held, range);
    this.#itemsHeld.set(range[0], items);
  }

  /** No lane has it any more: it waits on the disk alone. @returns how many items it holds */
  release(range: Range): number {
    this.#held = removeRange(this.#held, range);
    const items = this.#itemsHeld.get(range[0]) ?? 0;
    this.#itemsHeld.delete(range[0]);
    return items;
  }

  /** It need not be sent again. @param items how many items it held */
  settle(range: Range, items: number): void {
    this.release(range);
    this.#settled = addRange(this.#settled, range);
    this.#items = this.isSettled ? 0 : Math.max(0, this.#items - items);
  }
}
