/** Failures of the connection itself: nothing of the request was sent. */
const NOT_SENT = new Set([
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
 * Whether a failed call surely did not reach the server, so that making it again cannot do its work twice. Looks at the `code` of the error
 * and of its causes, and into every part of an `AggregateError`. A doubt means no.
 */
export function surelyNotSent(error: unknown, depth: number = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) return false;
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.every((part) => surelyNotSent(part, depth + 1));
  }
  const code: unknown = Reflect.get(error, 'code');
  if (typeof code === 'string' && NOT_SENT.has(code)) return true;
  return surelyNotSent(Reflect.get(error, 'cause'), depth + 1);
}
