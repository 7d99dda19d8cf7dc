import { types } from 'node:util';
import { bareKey, isSecretKey, LABELS, namesSecret, REDACTED, redactText } from '../../core/secret-text.ts';

/** Whether a name of a field may hold more than a name. */
const TALKATIVE = /[\s:=]|^eyJ/;

const MAX_DEPTH = 8;
const MAX_ENTRIES = 200;
const MAX_TEXT = 32_768;
/** Of one value with everything inside it. */
const MAX_VALUES = 5_000;
const MAX_CHARACTERS = 262_144;

/** A value that JSON can hold, with no getter, no cycle and no secret left in it. */
export type PlainValue = string | number | boolean | null | readonly PlainValue[] | PlainRecord;

/** A plain object of {@link PlainValue}. */
export interface PlainRecord {
  readonly [key: string]: PlainValue;
}

/**
 * Copies values into plain ones and takes secrets out, at any depth:
 * - values of fields whose name speaks of authorization, cookies, tokens, passwords, secrets or keys, also where name and value lie side by side
 *   in a list (`rawHeaders`) or as `{ name, value }`
 * - inside texts `Bearer ...`, `user:password@`, `password=...`, cookie headers, JSON Web Tokens and private keys
 *
 * Bounded in depth (8), entries (200 for each level, 5,000 in all) and length (32 Ki characters for a text, 256 Ki in all). Never throws: what cannot be
 * read is named.
 */
export class Redactor {
  readonly #further: ReadonlySet<string>;
  #valuesLeft = 0;
  #charactersLeft = 0;

  /** @param furtherKeys names of fields that are secret too, compared without case and punctuation */
  constructor(furtherKeys: readonly string[] = []) {
    this.#further = new Set(furtherKeys.map(bareKey));
  }

  isSecret(key: string): boolean {
    return isSecretKey(key) || this.#further.has(bareKey(key));
  }

  text(value: string): string {
    return redactText(
      value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}... (${value.length} characters)` : value,
    );
  }

  /** @returns the plain copy; `undefined` for what has no place in JSON */
  value(value: unknown): PlainValue | undefined {
    this.#refill();
    return this.#copy(value, 0, []);
  }

  /**
   * The fields of an object.
   * @param skip names of fields that are left out
   */
  record(value: object, skip: ReadonlySet<string>): PlainRecord {
    this.#refill();
    return this.#copyEntries(
      readEntries(value).filter(([key]) => !skip.has(key)),
      0,
      [value],
    );
  }

  #refill(): void {
    this.#valuesLeft = MAX_VALUES;
    this.#charactersLeft = MAX_CHARACTERS;
  }

  #boundedText(value: string): string {
    if (this.#charactersLeft <= 0) return '[too much]';
    const text = this.text(value);
    this.#charactersLeft -= text.length;
    return text;
  }

  #copy(value: unknown, depth: number, above: readonly object[]): PlainValue | undefined {
    if (this.#valuesLeft <= 0) return '[too much]';
    this.#valuesLeft -= 1;
    switch (typeof value) {
      case 'string':
        return this.#boundedText(value);
      case 'number':
        return Number.isFinite(value) ? value : String(value);
      case 'boolean':
        return value;
      case 'bigint':
        return value.toString();
      case 'undefined':
        return undefined;
      case 'function':
        return `[function ${value.name}]`;
      case 'symbol':
        return value.toString();
      case 'object':
        return value === null ? null : this.#copyObject(value, depth, above);
    }
  }

  #copyObject(value: object, depth: number, above: readonly object[]): PlainValue {
    if (above.includes(value)) return '[circular]';
    if (depth >= MAX_DEPTH) return '[too deep]';
    const inside = [...above, value];
    try {
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
      if (value instanceof Error) return this.#copyEntries(errorEntries(value), depth, inside);
      if (types.isStringObject(value)) return this.#boundedText(value.toString());
      if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
      if (value instanceof Map) return this.#copyEntries(mapEntries(value), depth, inside);
      if (Array.isArray(value) || value instanceof Set) return this.#copyList([...value], depth, inside);
      if ('toJSON' in value && typeof value.toJSON === 'function') {
        return this.#copy(value.toJSON(), depth + 1, inside) ?? null;
      }
      return this.#copyEntries(readEntries(value), depth, inside);
    } catch {
      return '[unreadable]';
    }
  }

  #copyList(list: readonly unknown[], depth: number, above: readonly object[]): PlainValue[] {
    const copy = list.slice(0, MAX_ENTRIES).map((item, index) => {
      if (index > 0 && this.#namesSecret(list[index - 1])) return REDACTED;
      return this.#copy(item, depth + 1, above) ?? null;
    });
    if (list.length > MAX_ENTRIES) copy.push(`[${list.length - MAX_ENTRIES} more]`);
    return copy;
  }

  #namesSecret(value: unknown): boolean {
    return namesSecret(value, (key) => this.isSecret(key));
  }

  #copyEntries(
    entries: readonly (readonly [string, unknown])[],
    depth: number,
    above: readonly object[],
  ): PlainRecord {
    const copy: Record<string, PlainValue> = {};
    const labelled = entries.some(([key, item]) => LABELS.includes(key) && this.#namesSecret(item));
    for (const [key, item] of entries.slice(0, MAX_ENTRIES)) {
      const secret = this.isSecret(key) || (labelled && key === 'value');
      const plain = secret ? REDACTED : this.#copy(item, depth + 1, above);
      if (plain === undefined) continue;
      // defineProperty, so that a field named __proto__ stays a field.
      Object.defineProperty(copy, TALKATIVE.test(key) ? this.text(key) : key, {
        value: plain,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return copy;
  }
}

function errorEntries(error: Error): [string, unknown][] {
  const known = ['name', 'message', 'stack', 'cause'];
  const own = readEntries(error).filter(([key]) => !known.includes(key));
  return [...known.map((key): [string, unknown] => [key, readField(error, key)]), ...own];
}

function mapEntries(map: ReadonlyMap<unknown, unknown>): [string, unknown][] {
  return Array.from(map, ([key, value]) => [typeof key === 'string' ? key : '[key]', value]);
}

/** The fields of an object. */
function readEntries(value: object): [string, unknown][] {
  return Object.keys(value).map((key) => [key, readField(value, key)]);
}

/** A field of an object; a getter that throws costs its field only. */
export function readField(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return '[unreadable]';
  }
}
