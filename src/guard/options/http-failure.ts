import { property, statusOf } from '../../core/http/status-of.ts';

/** Answers of 4xx that time may mend: the request timed out (408), came too early (425), or was one too many (429). */
const WORTH_ANOTHER_TRY: ReadonlySet<number> = new Set([408, 425, 429]);
/** The messages of undici, and thus of Node, before an answer and in the middle of its body. A program of its own may use these words: only a `cause` proves it. */
const UNDICI_MESSAGES: ReadonlySet<string> = new Set(['fetch failed', 'terminated']);
/**
 * The messages of the other implementations of `fetch` if the network failed. The specification asks for a `TypeError` and leaves the message open.
 * Chrome and MSW; Firefox; Safari, three; React Native and polyfills, two; Bun, three; Cloudflare.
 */
const NETWORK_MESSAGES: ReadonlySet<string> = new Set([
  'Failed to fetch',
  'NetworkError when attempting to fetch resource.',
  'Load failed',
  'The network connection was lost.',
  'The Internet connection appears to be offline.',
  'Network request failed',
  'Network request timed out',
  'Unable to connect. Is the computer able to access the url?',
  'Was there a typo in the url or port?',
  'The socket connection was closed unexpectedly. For more information, pass `verbose: true` in the second argument to fetch()',
  'Network connection lost.',
]);
/** How the messages of Deno begin; an address and the words of the operating system follow. */
const DENO_MESSAGE =
  /^(error sending request (for url|from)|client error \(|error trying to connect|connection (error|closed)|error reading a body from connection|request or response body error)/;
/** Codes of the network: those of the operating system, of undici's sockets, of axios, and of Bun. Those of mistakes begin with `ERR_`. */
const NETWORK_CODE =
  /^(E[A-Z]+|EAI_[A-Z]+|UND_ERR_(SOCKET|(CONNECT|HEADERS|BODY)_TIMEOUT)|ERR_NETWORK|Connection(Refused|Closed|Reset|Timeout)|FailedToOpenSocket|DNSLookupFailed|Timeout)$/;

/** Whether an HTTP status says that the server, not the request, is at fault: 408, 425, 429, and 5xx but 501. */
export function isFailureStatus(status: number): boolean {
  return WORTH_ANOTHER_TRY.has(status) || (status >= 500 && status !== 501);
}

/**
 * Whether an error of an HTTP call is the fault of the server or the network, so that another try may help and a breaker should count it:
 * `{ retry: { retryIf: isHttpFailure }, breaker: { failureIf: isHttpFailure } }`. The presets for HTTP use it for both.
 *
 * Not a failure: an error with a status (`status`, `statusCode`, or one of those in its `response`) of 4xx other than 408, 425 and 429, or of
 * 501; and a mistake of the program, which is a `TypeError`, `RangeError`, `ReferenceError` or `SyntaxError` without a status.
 *
 * A failure: the `TypeError` with which `fetch` rejects if the network fails, in Node, Bun, Deno, browsers, React Native and under MSW; the errors of
 * undici, node-fetch, got and axios without a status; and everything else.
 * @param error what was thrown, of any type
 */
export function isHttpFailure(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== undefined) return status < 400 || isFailureStatus(status);
  return !isMistake(error);
}

function isMistake(error: unknown): boolean {
  if (error instanceof TypeError) return !isNetworkFailure(error);
  return error instanceof ReferenceError || error instanceof RangeError || error instanceof SyntaxError;
}

function isNetworkFailure(error: TypeError): boolean {
  const { message, cause } = error;
  if (NETWORK_MESSAGES.has(message) || DENO_MESSAGE.test(message)) return true;
  if (UNDICI_MESSAGES.has(message) && cause !== undefined) return true;
  return [error, cause].some((each) => {
    const code = property(each, 'code');
    return typeof code === 'string' && NETWORK_CODE.test(code);
  });
}
