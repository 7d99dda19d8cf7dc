/** What the operating system and undici call a connection that could not be made. */
const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const MAX_DEPTH = 5;

/**
 * Whether an error speaks of a connection that could not be made: worth another try for work that can be done twice. It does not prove that
 * nothing was sent. Looks at the `code` of the error and of its causes, and into every part of an `AggregateError`.
 */
export function isConnectionFailure(error: unknown, depth: number = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) return false;
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.every((part) => isConnectionFailure(part, depth + 1));
  }
  const code: unknown = Reflect.get(error, 'code');
  if (typeof code === 'string' && NO_CONNECTION.has(code)) return true;
  return isConnectionFailure(Reflect.get(error, 'cause'), depth + 1);
}
