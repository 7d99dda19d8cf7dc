import { KeelsonError } from '../../core/errors.ts';

const CODE = 'ERR_KEELSON_CACHE_VALUE';
/** Properties that are looked at: those of an answer, or the answers in a list. A larger value is data. */
const MAX_PROPERTIES = 100;

/** What can be read once only, and what it is called. */
interface OnceOnly {
  readonly what: string;
  readonly value: object;
}

/**
 * Refuses a value that can be read once only, since a second caller would get it empty: a `Response` or `Request` whose body nobody has read, a
 * stream, an iterator. It may be the value itself, or one of its properties or elements. What is refused is closed.
 * @throws {KeelsonError} `ERR_KEELSON_CACHE_VALUE`, which says what to cache
 */
export function refuseOnceOnly(value: unknown): void {
  const found = find(value);
  if (!found) return;
  close(found.value);
  throw new KeelsonError(
    CODE,
    `The value ${found.what}, which only one caller could read, so that the cache refused it and stored nothing. ` +
      'Cache what it holds: read it inside of the function, such as by `return await response.json()`.',
    { hint: 'Leave `cacheKey` out of calls whose answer is a stream.' },
  );
}

/** Whether {@link refuseOnceOnly} threw this error: the load went well, and no stale value has to stand in for it. */
export function isOnceOnly(error: unknown): boolean {
  return error instanceof KeelsonError && error.code === CODE;
}

function find(value: unknown): OnceOnly | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    const kind = kindOf(value);
    if (kind) return { what: `is ${kind}`, value };
    const keys = Object.keys(value);
    if (keys.length > MAX_PROPERTIES) return undefined;
    for (const key of keys) {
      const inner: unknown = Reflect.get(value, key);
      if (typeof inner !== 'object' || inner === null) continue;
      const innerKind = kindOf(inner);
      if (innerKind) return { what: `has ${innerKind} as its \`${key}\``, value: inner };
    }
  } catch {
    // A getter or a proxy of the user's that throws: nothing shows that the value can be read once only.
  }
  return undefined;
}

/** By their methods, since they come from several libraries, realms and copies. */
function kindOf(value: object): string | undefined {
  const has = (name: string | symbol): boolean => typeof Reflect.get(value, name) === 'function';
  if (Reflect.get(value, 'bodyUsed') === false && Boolean(Reflect.get(value, 'body')))
    return `a ${has('clone') && 'url' in value && 'method' in value ? 'Request' : 'Response'} with a body that nobody has read`;
  if (has('getReader')) return 'a ReadableStream';
  if (has('pipe') && has('read') && Reflect.get(value, 'readable') !== false) return 'a stream';
  return has('next') && (has(Symbol.iterator) || has(Symbol.asyncIterator)) ? 'an iterator' : undefined;
}

/** Nobody gets the value: the connection behind it becomes free. What fails meanwhile is of no interest. */
function close(value: object): void {
  try {
    const body: unknown = 'bodyUsed' in value ? Reflect.get(value, 'body') : value;
    for (const method of ['cancel', 'destroy']) {
      const end: unknown = Reflect.get(Object(body), method);
      if (typeof end !== 'function') continue;
      Promise.resolve(Reflect.apply(end, body, [])).catch(() => {});
      return;
    }
  } catch {
    // As above.
  }
}
