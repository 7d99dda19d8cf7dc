/** A value that came from the second tier. */
export interface SharedValue {
  readonly value: unknown;
  /** Milliseconds since it was loaded, and for which it was fresh from then. */
  readonly ageMs: number;
  readonly freshMs: number;
}

/** The way to a place in a value. */
type Path = readonly (string | number)[];

/**
 * The form in which a value is kept: JSON. Its age follows from what the tier says remains, so that no two machines' clocks are compared.
 */
interface Envelope {
  readonly v: 1;
  readonly freshMs: number;
  readonly keepMs: number;
  readonly value?: unknown;
  /** The places of `undefined` inside of the value, which JSON leaves out. */
  readonly undefinedAt?: readonly Path[];
}

/** @throws {TypeError} for a value that would come back as another one */
export function seal(value: unknown, freshMs: number, keepMs: number): string {
  const undefinedAt: Path[] = [];
  if (value !== undefined) check(value, [], new Set(), undefinedAt);
  const envelope: Envelope = { v: 1, freshMs, keepMs, value, ...(undefinedAt.length > 0 && { undefinedAt }) };
  return JSON.stringify(envelope);
}

/** @throws {TypeError} for text that is not one of ours */
export function open({
  text,
  remainingMs,
}: {
  readonly text: string;
  readonly remainingMs: number;
}): SharedValue {
  const envelope: unknown = JSON.parse(text);
  if (!isEnvelope(envelope) || !Number.isFinite(remainingMs))
    throw new TypeError('The second tier holds something that this cache did not write.');
  const { value, freshMs, keepMs, undefinedAt = [] } = envelope;
  for (const path of undefinedAt) putUndefined(value, path);
  return { value, freshMs, ageMs: Math.max(0, keepMs - remainingMs) };
}

function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null) return false;
  const { v, freshMs, keepMs, undefinedAt } = value as Partial<Record<keyof Envelope, unknown>>;
  const isListed =
    undefinedAt === undefined || (Array.isArray(undefinedAt) && undefinedAt.every(Array.isArray));
  return v === 1 && Number.isFinite(freshMs) && Number.isFinite(keepMs) && isListed;
}

function putUndefined(value: unknown, path: Path): void {
  let holder = value;
  for (const key of path.slice(0, -1)) holder = Reflect.get(Object(holder), key);
  const last = path.at(-1);
  if (last === undefined || typeof holder !== 'object' || holder === null) return;
  Object.defineProperty(holder, last, {
    value: undefined,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

/** @throws {TypeError} that names the first thing in `value` that JSON does not give back as it was */
function check(value: unknown, path: Path, around: Set<object>, undefinedAt: Path[]): void {
  if (value === undefined) {
    undefinedAt.push(path);
    return;
  }
  const kind = strangeKind(value, around);
  if (kind) {
    const place = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
    throw new TypeError(
      `\`value${place}\` is ${kind}, which JSON does not give back as it was. Cache what it holds as plain JSON.`,
    );
  }
  if (typeof value !== 'object' || value === null) return;
  around.add(value);
  if (Array.isArray(value)) {
    for (const [index, element] of value.entries()) check(element, [...path, index], around, undefinedAt);
  } else {
    for (const [key, property] of Object.entries(value)) check(property, [...path, key], around, undefinedAt);
  }
  around.delete(value);
}

/** What a value is that JSON cannot hold; `undefined` for one that it can. */
function strangeKind(value: unknown, around: ReadonlySet<object>): string | undefined {
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : String(value);
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return undefined;
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (around.has(value)) return 'an object that contains itself';
  if (Object.getOwnPropertySymbols(value).length > 0) return 'an object with symbols as keys';
  if (Array.isArray(value))
    return Object.keys(value).length > value.length ? 'an array with names as keys' : undefined;
  return isPlain(value) ? undefined : `an object of the class ${className(value)}`;
}

/** Holds for objects of another realm too. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf');
}

function className(value: object): string {
  const { constructor } = value as { readonly constructor?: { readonly name?: unknown } };
  const name = constructor?.name;
  return typeof name === 'string' ? name : 'without a name';
}
