/**
 * The keys of a cache that several operations share: the operation's name and what its caller names. Each is put together once and kept, since
 * doing so for each call, and hashing the result, costs more than all the rest of a hit.
 */
export class CacheKeys {
  readonly #max: number;
  readonly #byOperation = new Map<string, Map<string, string>>();
  #size = 0;

  /** @param max how many are kept: as many as the cache has entries, since more could not be hits */
  constructor(max: number) {
    this.#max = max;
  }

  /** How many are kept. */
  get size(): number {
    return this.#size;
  }

  /** The key of `key` under `operation`. */
  of(operation: string, key: string): string {
    return this.#byOperation.get(operation)?.get(key) ?? this.#make(operation, key);
  }

  #make(operation: string, key: string): string {
    if (this.#size >= this.#max) {
      this.#byOperation.clear();
      this.#size = 0;
    }
    let keys = this.#byOperation.get(operation);
    if (!keys) {
      keys = new Map();
      this.#byOperation.set(operation, keys);
    }
    const whole = `${operation}\u0000${key}`;
    keys.set(key, whole);
    this.#size += 1;
    return whole;
  }
}
