import type { Place } from '../journal/index.ts';

/** A batch in memory. */
export interface LiveBatch {
  readonly body: Uint8Array;
  readonly items: number;
  /** Milliseconds since 1970. */
  readonly takenAt: number;
  /** The same moment on the monotonic clock, in milliseconds. */
  readonly since: number;
  /** Its bytes in the journal. Absent if the disk did not take it. */
  place: Place | undefined;
}

/** How much memory may hold. */
export interface LiveLimits {
  /** How many batches that are on disk too. */
  readonly maxPlaced: number;
  /** How many bytes of batches that are on disk too. */
  readonly maxPlacedBytes: number;
  /** How many bytes of batches that are not on disk. */
  readonly maxUnplacedBytes: number;
}

/** For each signal: 64 batches and 4 MiB that are on disk too, and 8 MiB that are not. */
export const liveDefaults: LiveLimits = {
  maxPlaced: 64,
  maxPlacedBytes: 4 * 1_024 * 1_024,
  maxUnplacedBytes: 8 * 1_024 * 1_024,
};

/** The batches that had to leave the memory. */
export interface Overflow {
  /** They are on disk and wait there. */
  readonly forgotten: readonly LiveBatch[];
  /** They are not on disk: they are lost. */
  readonly lost: readonly LiveBatch[];
}

/** The newest batches of a signal, in the order in which they came. */
export class LiveQueue {
  readonly #limits: LiveLimits;
  #batches: LiveBatch[] = [];

  constructor(limits: LiveLimits = liveDefaults) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#batches.length;
  }

  get oldest(): LiveBatch | undefined {
    return this.#batches[0];
  }

  get newest(): LiveBatch | undefined {
    return this.#batches.at(-1);
  }

  /** The batches that are not on disk. */
  get unplaced(): readonly LiveBatch[] {
    return this.#batches.filter(({ place }) => place === undefined);
  }

  /** Takes a batch. @param sending the batch that is being sent; it stays in memory */
  push(batch: LiveBatch, sending: LiveBatch | undefined): Overflow {
    this.#batches.push(batch);
    const { maxPlaced, maxPlacedBytes, maxUnplacedBytes } = this.#limits;
    const placed = this.#batches.filter(({ place }) => place !== undefined);
    const unplaced = this.unplaced;
    const stays = (each: LiveBatch): boolean => each === sending || each === batch;
    const forgotten = surplus(placed, maxPlaced, maxPlacedBytes, stays);
    const lost = surplus(unplaced, Number.POSITIVE_INFINITY, maxUnplacedBytes, stays);
    this.#without([...forgotten, ...lost]);
    return { forgotten, lost };
  }

  /** Removes the batches that are on disk too, except for the newest. @returns the removed ones */
  spill(sending: LiveBatch | undefined): readonly LiveBatch[] {
    const { newest } = this;
    const leaving = this.#batches.filter(
      (each) => each.place !== undefined && each !== newest && each !== sending,
    );
    this.#without(leaving);
    return leaving;
  }

  remove(batch: LiveBatch): void {
    this.#without([batch]);
  }

  /** Empties the queue. @returns the batches that were in it */
  clear(): readonly LiveBatch[] {
    return this.#batches.splice(0);
  }

  #without(leaving: readonly LiveBatch[]): void {
    if (leaving.length > 0) this.#batches = this.#batches.filter((batch) => !leaving.includes(batch));
  }
}

/** The oldest batches beyond the limits of number and bytes. */
function surplus(
  batches: readonly LiveBatch[],
  maxCount: number,
  maxBytes: number,
  stays: (batch: LiveBatch) => boolean,
): readonly LiveBatch[] {
  let bytes = batches.reduce((sum, { body }) => sum + body.byteLength, 0);
  let count = batches.length;
  return batches.filter((batch) => {
    if (stays(batch) || (bytes <= maxBytes && count <= maxCount)) return false;
    bytes -= batch.body.byteLength;
    count -= 1;
    return true;
  });
}
