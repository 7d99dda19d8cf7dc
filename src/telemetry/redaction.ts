/** What stands for a secret. */
export const REDACTED = '[redacted]';

const SECRET_KEY =
  /authorization|cookie|token$|password|passwd|passphrase|secret|apikey|privatekey|credential/;
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`],
  [/(:\/\/[^\s:@/]*:)[^\s@/]+@/g, `$1${REDACTED}@`],
  [
    /\b((?:access_|refresh_|id_)?token|password|passwd|secret|client_secret|api[_-]?key)(["']?\s*[=:]\s*["']?)[^\s&"',;]+/gi,
    `$1$2${REDACTED}`,
  ],
];
const MAX_DEPTH = 8;
const MAX_ENTRIES = 200;
const MAX_TEXT = 32_768;

const normal = (key: string): string => key.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** A value that JSON can hold, with no getter, no cycle and no secret left in it. */
export type PlainValue = string | number | boolean | null | readonly PlainValue[] | PlainRecord;

/** A plain object of {@link PlainValue}. */
export interface PlainRecord {
  readonly [key: string]: PlainValue;
}

/**
 * Copies values into plain ones and takes secrets out: the values of fields whose name speaks of authorization, cookies, tokens, passwords,
 * secrets or keys, at any depth, and `Bearer ...`, `user:password@` and `password=...` inside texts.
 *
 * Bounded in depth (8), entries (200 for each level) and length of a text (32 Ki characters). Never throws: what cannot be read is named.
 */
export class Redactor {
  readonly #further: ReadonlySet<string>;

  /** @param furtherKeys names of fields that are secret too, compared without case and punctuation */
  constructor(furtherKeys: readonly string[] = []) {
    this.#further = new Set(furtherKeys.map(normal));
  }

  isSecret(key: string): boolean {
    const name = normal(key);
    return SECRET_KEY.test(name) || this.#further.has(name);
  }

  text(value: string): string {
    let text =
      value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}... (${value.length} characters)` : value;
    for (const [pattern, replacement] of PATTERNS) text = text.replace(pattern, replacement);
    return text;
  }

  /** @returns the plain copy; `undefined` for what has no place in JSON */
  value(value: unknown): PlainValue | undefined {
    return this.#copy(value, 0, []);
  }

  #copy(value: unknown, depth: number, above: readonly object[]): PlainValue | undefined {
    switch (typeof value) {
      case 'string':
        return this.text(value);
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
    const copy = list.slice(0, MAX_ENTRIES).map((item) => this.#copy(item, depth + 1, above) ?? null);
    if (list.length > MAX_ENTRIES) copy.push(`[${list.length - MAX_ENTRIES} more]`);
    return copy;
  }

  #copyEntries(
    entries: readonly (readonly [string, unknown])[],
    depth: number,
    above: readonly object[],
  ): PlainRecord {
    const copy: Record<string, PlainValue> = {};
    for (const [key, item] of entries.slice(0, MAX_ENTRIES)) {
      const plain = this.isSecret(key) ? REDACTED : this.#copy(item, depth + 1, above);
      // defineProperty, so that a field named __proto__ stays a field.
      if (plain !== undefined) {
        Object.defineProperty(copy, key, {
          value: plain,
          enumerable: true,
          writable: true,
          configurable: true,
        });
      }
    }
    return copy;
  }
}

function errorEntries(error: Error): [string, unknown][] {
  const own = readEntries(error).filter(([key]) => !['name', 'message', 'stack', 'cause'].includes(key));
  return [
    ['name', error.name],
    ['message', error.message],
    ['stack', error.stack],
    ['cause', error.cause],
    ...own,
  ];
}

function mapEntries(map: ReadonlyMap<unknown, unknown>): [string, unknown][] {
  return Array.from(map, ([key, value]) => [typeof key === 'string' ? key : '[key]', value]);
}

/** The fields of an object; a getter that throws costs its field only. */
function readEntries(value: object): [string, unknown][] {
  return Object.keys(value).map((key) => {
    try {
      return [key, Reflect.get(value, key)];
    } catch {
      return [key, '[unreadable]'];
    }
  });
}
