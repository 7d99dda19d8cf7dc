import type { DeadlineList } from './deadline-node.ts';

/** Empty lists that may stay in the queue, however few others there are. */
const MAX_EMPTY = 64;

/**
 * The lists of deadlines in the order in which their first deadlines fall due: a binary heap. A list stays in its place while its first deadline changes
 * or goes away, since a deadline that follows another in its list only falls due later. So a call that ends in time costs no reordering. Lists that stay empty
 * are removed once they are the larger half.
 */
export class DeadlineQueue {
  #heap: DeadlineList[] = [];
  #empty = 0;

  /** How many lists it holds. */
  get size(): number {
    return this.#heap.length;
  }

  /** Notes that a list that was empty holds a deadline, which is due at `dueAt`. */
  filled(list: DeadlineList, dueAt: number): void {
    if (list.place >= 0) {
      this.#empty -= 1;
      // Only a clock that has gone backwards brings an earlier one.
      if (dueAt < list.lookAt) this.#raise(list, dueAt);
      return;
    }
    list.place = this.#heap.length;
    this.#heap.push(list);
    this.#raise(list, dueAt);
  }

  /** Notes that a list is empty. */
  emptied(): void {
    this.#empty += 1;
    if (this.#empty > MAX_EMPTY && this.#empty * 2 > this.#heap.length) this.#compact();
  }

  /** The list whose first deadline falls due next; `undefined` where there is no deadline. */
  first(): DeadlineList | undefined {
    for (;;) {
      const list = this.#heap[0];
      if (!list) return undefined;
      if (list.head && list.head.dueAt <= list.lookAt) return list;
      if (list.head) {
        list.lookAt = list.head.dueAt;
        this.#lower(list, 0);
      } else {
        this.#removeFirst(list);
      }
    }
  }

  #removeFirst(list: DeadlineList): void {
    this.#empty -= 1;
    list.place = -1;
    const last = this.#heap.pop();
    if (last && last !== list) this.#lower(last, 0);
  }

  #compact(): void {
    for (const list of this.#heap) if (!list.head) list.place = -1;
    // Sorted by time, an array is a heap.
    this.#heap = this.#heap.filter(({ head }) => head).sort((a, b) => a.lookAt - b.lookAt);
    for (const [place, list] of this.#heap.entries()) list.place = place;
    this.#empty = 0;
  }

  /** Moves a list towards the first place, to where `lookAt` belongs. */
  #raise(list: DeadlineList, lookAt: number): void {
    list.lookAt = lookAt;
    let place = list.place;
    while (place > 0) {
      const parentPlace = (place - 1) >> 1;
      const parent = this.#heap[parentPlace];
      if (!parent || parent.lookAt <= lookAt) break;
      this.#put(parent, place);
      place = parentPlace;
    }
    this.#put(list, place);
  }

  /** Moves a list from `place` away from the first place, to where its time belongs. */
  #lower(list: DeadlineList, place: number): void {
    for (;;) {
      const left = place * 2 + 1;
      const [one, other] = [this.#heap[left], this.#heap[left + 1]];
      const child = one && other && other.lookAt < one.lookAt ? other : one;
      if (!child || child.lookAt >= list.lookAt) break;
      const childPlace = child.place;
      this.#put(child, place);
      place = childPlace;
    }
    this.#put(list, place);
  }

  #put(list: DeadlineList, place: number): void {
    this.#heap[place] = list;
    list.place = place;
  }
}
