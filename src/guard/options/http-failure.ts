import { property, statusOf } from '../../core/http/status-of.ts';

/** OuterLayers of 4xx that time may mend: the request timed out (408), came too early (425), or was one too many (429). */
const WORTH_ANOTHER_TRY: ReadonlySet<number> = new Set([408, 425, 429]);
/** What `fetch` rejects with where the network failed: before the answer, and in the middle of its body. */
const NETWORK_MESSAGES: ReadonlySet<string> = new Set(['fetch failed', 'terminated']);

/** Whether an HTTP status says that the server, not the request, is at fault: 408, 425, 429, and 5xx but 501. */
export function isFailureStatus(status: number): boolean {
  return WORTH_ANOTHER_TRY.has(status) || (status >= 500 && status !== 501);
}

/**
 * Whether an error of an HTTP call is the fault of the server or the network, so that another try may help and a breaker should count it:
 * `{ retry: { retryIf: isHttpFailure }, breaker: { failureIf: isHttpFailure } }`. The presets for HTTP use it for both.
 *
 * Not a failure: an error with a status (`status`, `statusCode`, or one of those in its `response`) of 4xx other than 408, 425 and 429, or of
 * 501; and a mistake of the program, which is a `TypeError`, `RangeError`, `ReferenceError` or `SyntaxError` without a status. The `TypeError`
 * with a `cause` that `fetch` rejects with where the network fails is a failure, and so is everything else.
 * @param error what was thrown, of any type
 */
export function isHttpFailure(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== undefined) return status < 400 || isFailureStatus(status);
  return !isMistake(error);
}

function isMistake(error: unknown): boolean {
  if (error instanceof TypeError)
    return !NETWORK_MESSAGES.has(error.message) || property(error, 'cause') === undefined;
  return error instanceof ReferenceError || error instanceof RangeError || error instanceof SyntaxError;
}
