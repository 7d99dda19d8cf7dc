import type { Signal } from '../semconv.ts';
import { addRange, gapsOf, removeRange, sizeOf } from './format/ranges.ts';
import type { Range, Ranges } from './format/ranges.ts';

/** The bytes of a batch in the journal. */
export interface Place {
  readonly segment: Segment;
  readonly range: Range;
}

/** What a {@link Segment} is made of. */
export interface SegmentParts {
  readonly signal: Signal;
  readonly name: string;
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  readonly size: number;
  /** The bytes that need not be sent. */
  readonly settled: Ranges;
  /** Items that wait. */
  readonly items: number;
}

/** How far apart the marks are that date the lines of a segment, in milliseconds. */
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
  /** Monotonic time in milliseconds before which it is not read, after the disk failed. */
  notBefore = 0;
  /** Whether its file is gone, and with it what waited there. */
  isLost: boolean = false;
  #size: number;
  #settled: Ranges;
  #held: Ranges = [];
  /** How many items each held range has, by its first byte. */
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

  /** Its name in a cursor. */
  get key(): string {
    return `${this.signal}/${this.name}`;
  }

  get size(): number {
    return this.#size;
  }

  get settled(): Ranges {
    return this.#settled;
  }

  /** The items and bytes that are not settled. */
  get waiting(): { readonly items: number; readonly bytes: number } {
    return { items: this.#items, bytes: this.#size - sizeOf(this.#settled) };
  }

  get isSettled(): boolean {
    return this.#size === sizeOf(this.#settled);
  }

  /** About when the first waiting line was written, in milliseconds since 1970. The time of the opening if no mark dates it. */
  get oldestAt(): number {
    const from = gapsOf(this.#settled, this.#size)[0]?.[0] ?? this.#size;
    return this.#marks.findLast(({ offset }) => offset <= from)?.time ?? this.openedAt;
  }

  /** The first bytes that wait and that no lane holds. */
  get next(): Range | undefined {
    const taken = this.#held.reduce(addRange, this.#settled);
    return gapsOf(taken, this.#size)[0];
  }

  /** Records lines that were appended. */
  grow(range: Range, items: number, time: number): void {
    this.#size = range[1];
    this.#items += items;
    const last = this.#marks.at(-1);
    if (!last || time - last.time >= MARK_EVERY_MS) this.#marks.push({ offset: range[0], time });
  }

  /** Records how many items wait in it, once they are counted. */
  count(items: number): void {
    this.#items = items;
  }

  /** Whether a lane holds any of it. */
  get isHeld(): boolean {
    return this.#held.length > 0;
  }

  /** How many items the lanes hold. */
  get heldItems(): number {
    return this.#itemsHeld.values().reduce((sum, items) => sum + items, 0);
  }

  /** A lane takes a range. */
  hold(range: Range, items: number): void {
    this.#held = addRange(this.#held, range);
    this.#itemsHeld.set(range[0], items);
  }

  /** A lane gives a range back, which waits on the disk alone. @returns how many items it has */
  release(range: Range): number {
    this.#held = removeRange(this.#held, range);
    const items = this.#itemsHeld.get(range[0]) ?? 0;
    this.#itemsHeld.delete(range[0]);
    return items;
  }

  /** A range need not be sent again. @param items how many items it has */
  settle(range: Range, items: number): void {
    this.release(range);
    this.#settled = addRange(this.#settled, range);
    this.#items = this.isSettled ? 0 : Math.max(0, this.#items - items);
  }
}
