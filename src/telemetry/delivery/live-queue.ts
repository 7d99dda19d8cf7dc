import type { Place } from '../journal/index.ts';

/** A batch in memory. */
export interface LiveBatch {
  readonly body: Uint8Array;
  readonly items: number;
  /** Milliseconds since 1970. */
  readonly takenAt: number;
  /** The same on the monotonic clock. */
  readonly since: number;
  /** Where it stands on disk; absent where the disk did not take it. */
  place: Place | undefined;
}

/** What memory may hold. */
export interface LiveLimits {
  /** Batches that are on disk too. */
  readonly maxPlaced: number;
  /** Their bytes. */
  readonly maxPlacedBytes: number;
  /** Bytes of batches that are nowhere else. */
  readonly maxUnplacedBytes: number;
}

/** 64 batches and 4 MiB of what is on disk too; 8 MiB of what is nowhere else. For each signal. */
export const liveDefaults: LiveLimits = {
  maxPlaced: 64,
  maxPlacedBytes: 4 * 1_024 * 1_024,
  maxUnplacedBytes: 8 * 1_024 * 1_024,
};

/** What had to leave the memory. */
export interface Overflow {
  /** On disk: they wait there. */
  readonly forgotten: readonly LiveBatch[];
  /** Nowhere else: they are lost. */
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

  /** Batches that are nowhere else. */
  get unplaced(): readonly LiveBatch[] {
    return this.#batches.filter(({ place }) => place === undefined);
  }

  /** Takes a batch. @param sending the batch that is on its way, which stays */
  push(batch: LiveBatch, sending: LiveBatch | undefined): Overflow {
    this.#batches.push(batch);
    const { maxPlaced, maxPlacedBytes, maxUnplacedBytes } = this.#limits;
    const placed = this.#batches.filter(({ place }) => place !== undefined);
    const unplaced = this.unplaced;
    const stays = (each: LiveBatch): boolean => each === sending || each === batch;
    const forgotten = surplus(placed, maxPlaced, maxPlacedBytes, stays);
    const lost = surplus(unplaced, Infinity, maxUnplacedBytes, stays);
    this.#without([...forgotten, ...lost]);
    return { forgotten, lost };
  }

  /** Lets go of what is on disk too, but the newest batch. @returns what left */
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

  /** Empties the queue. @returns what was in it */
  clear(): readonly LiveBatch[] {
    return this.#batches.splice(0);
  }

  #without(leaving: readonly LiveBatch[]): void {
    if (leaving.length > 0) this.#batches = this.#batches.filter((batch) => !leaving.includes(batch));
  }
}

/** The oldest batches that are too many or too large together. */
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
