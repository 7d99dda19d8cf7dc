import { parseRetryAfter } from '../../core/http/retry-after.ts';
import { property, statusOf } from '../../core/http/status-of.ts';
import { systemClock } from '../../core/time/clock.ts';

const HEADER = 'retry-after';
/** The statuses whose `Retry-After` is about the server as a whole, and not about one request: too many requests, and unavailable. */
const PAUSING: ReadonlySet<number> = new Set([429, 503]);
/** Headers with more fields than this are not searched to their end. */
const MAX_FIELDS = 1_000;

/**
 * How long a server asked us to wait, from the error that a client threw: `retryAfterMs` of the error itself, or a `Retry-After` header of the
 * error, of its `response`, or of its `value`. Headers can be of any client: an object with `get`, a map, a list, or a plain object.
 * @param epochMs wall-clock milliseconds, for dates
 * @returns milliseconds, at least 0; `undefined` where nobody asked
 */
export function retryAfterOf(error: unknown, epochMs: number): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const direct = property(error, 'retryAfterMs');
  if (typeof direct === 'number' && direct >= 0 && Number.isFinite(direct)) return direct;
  for (const holder of [error, property(error, 'response'), property(error, 'value')]) {
    const header = retryAfterHeader(property(holder, 'headers'));
    const ms = header === undefined ? undefined : parseRetryAfter(header, epochMs);
    if (ms !== undefined) return ms;
  }
  return undefined;
}

/**
 * How long a server asked us to wait with `Retry-After`, from any error that came out of a guard or a client. The error itself is not changed.
 * @param error what was thrown: an error with a `retryAfterMs`, or with the `headers` of an answer in itself, its `response` or its `value`
 * @returns milliseconds from now, at least 0; `undefined` where nobody asked
 */
export function retryAfterMsOf(error: unknown): number | undefined {
  return retryAfterOf(error, systemClock.epoch());
}

/**
 * How long a server wants no calls at all. Only the statuses 429 and 503 say so; an error without an HTTP status is taken at its word. A `Retry-After` of any
 * other answer is about that request alone.
 * @param epochMs wall-clock milliseconds, for dates
 * @returns milliseconds, at least 0; `undefined` where nobody asked for a pause
 */
export function pauseAskedBy(error: unknown, epochMs: number): number | undefined {
  const status = statusOf(error) ?? statusOf(property(error, 'value'));
  return status === undefined || PAUSING.has(status) ? retryAfterOf(error, epochMs) : undefined;
}

/** Headers of other libraries are known by what they can do: `instanceof` fails for the classes of another copy or realm. */
function retryAfterHeader(headers: unknown): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  try {
    const got =
      'get' in headers && typeof headers.get === 'function' ? (headers.get(HEADER) as unknown) : undefined;
    return textOf(got) ?? textOf(fieldOf(headers));
  } catch {
    // Headers that throw say nothing.
    return undefined;
  }
}

function fieldOf(headers: object): unknown {
  let fields = 0;
  for (const [name, value] of fieldsOf(headers)) {
    if (textOf(name)?.toLowerCase() === HEADER) return value;
    fields += 1;
    if (fields >= MAX_FIELDS) return undefined;
  }
  return undefined;
}

/** Names and values: of pairs in a list, a map or `Headers`; of a flat list as Node's `rawHeaders`; of an object. */
function* fieldsOf(headers: object): Iterable<readonly [unknown, unknown]> {
  if (Array.isArray(headers) && !Array.isArray(headers[0])) {
    for (let i = 0; i + 1 < headers.length; i += 2) yield [headers[i], headers[i + 1]];
  } else if (Symbol.iterator in headers && typeof headers[Symbol.iterator] === 'function') {
    for (const pair of headers as Iterable<unknown>) if (Array.isArray(pair)) yield [pair[0], pair[1]];
  } else {
    yield* Object.entries(headers);
  }
}

/** A header that came more than once is a list: its first value counts. Raw headers are bytes. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  return Array.isArray(value) ? textOf(value[0]) : undefined;
}
