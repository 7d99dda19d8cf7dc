/**
 * The HTTP status that an error carries, as the clients of HTTP put it there: `status` or `statusCode` of the error, or of its `response`.
 * @param error what was thrown, of any type
 * @returns 100 to 599; `undefined` without a status
 */
export function statusOf(error: unknown): number | undefined {
  for (const holder of [error, property(error, 'response')]) {
    for (const name of ['status', 'statusCode']) {
      const status = property(holder, name);
      if (typeof status === 'number' && status >= 100 && status < 600) return status;
    }
  }
  return undefined;
}

/** A property that throws when it is read is as good as none. */
export function property(holder: unknown, name: string): unknown {
  if (typeof holder !== 'object' || holder === null) return undefined;
  try {
    return Reflect.get(holder, name);
  } catch {
    return undefined;
  }
}
