/**
 * How long a server asked us to wait, from the error that a client threw: `retryAfterMs` of the error itself, or a `Retry-After` header of the
 * error, of its `response`, or of its `value`. Seconds and dates are understood (RFC 9110, section 10.2.3).
 * @param epochMs wall-clock milliseconds, for dates
 * @returns milliseconds, at least 0; `undefined` where nobody asked
 */
export function retryAfterOf(error: unknown, epochMs: number): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  try {
    return readRetryAfter(error, epochMs);
  } catch {
    // An error whose properties throw says nothing.
    return undefined;
  }
}

function readRetryAfter(error: object, epochMs: number): number | undefined {
  const direct: unknown = Reflect.get(error, 'retryAfterMs');
  if (typeof direct === 'number' && direct >= 0 && Number.isFinite(direct)) return direct;
  for (const holder of [error, Reflect.get(error, 'response'), Reflect.get(error, 'value')] as unknown[]) {
    const header = retryAfterHeader(holder);
    const ms = header === undefined ? undefined : parseRetryAfter(header, epochMs);
    if (ms !== undefined) return ms;
  }
  return undefined;
}

/** Reads the value of a `Retry-After` header. @returns milliseconds; 0 for a date that has passed; `undefined` for what is neither form */
export function parseRetryAfter(value: string, epochMs: number): number | undefined {
  const text = value.trim();
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1_000;
  if (!/^[A-Za-z]{3}, /.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - epochMs);
}

function retryAfterHeader(holder: unknown): string | undefined {
  if (typeof holder !== 'object' || holder === null) return undefined;
  const headers: unknown = Reflect.get(holder, 'headers');
  if (typeof headers !== 'object' || headers === null) return undefined;
  if (headers instanceof Headers) return headers.get('retry-after') ?? undefined;
  for (const [name, value] of Object.entries(headers) as [string, unknown][]) {
    if (name.toLowerCase() === 'retry-after' && (typeof value === 'string' || typeof value === 'number'))
      return String(value);
  }
  return undefined;
}
