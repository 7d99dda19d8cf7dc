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

  /**
   * The key of `key` under `operation`. No two pairs have the same one, whatever is in them.
   * @param scope the key of the guard whose values these are; `undefined` for those of the guard itself. The keys of a scope are not kept
   */
  of(operation: string, key: string, scope?: string): string {
    if (scope !== undefined) return `${prefixOf(scope)}${plain(operation)}\u0000${key}`;
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
    const whole = `${plain(operation)}\u0000${key}`;
    keys.set(key, whole);
    this.#size += 1;
    return whole;
  }
}

/** What the keys of a scope begin with. No other key begins with a NUL. */
export function prefixOf(scope: string): string {
  return `\u0000${plain(scope)}\u0000`;
}

/** A name without NUL, which ends a name in a key. Two names that differ still do. */
function plain(name: string): string {
  return name.includes('\u0000') || name.includes('\u0001')
    ? name.replaceAll('\u0001', '\u00011').replaceAll('\u0000', '\u00010')
    : name;
}
