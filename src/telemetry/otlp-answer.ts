import { firstWords, isMarkup } from './first-words.ts';

/**
 * Why a batch is to be sent again.
 * - `unreachable`: no connection, or one that broke off; `timeout`: no answer in time; `unavailable`: the receiver said later
 * - `refused`: what listens there is no receiver, or wants other headers; the batch is not to blame
 */
export type LaterReason = 'unreachable' | 'timeout' | 'unavailable' | 'refused';

/** How a request to an OTLP receiver ended. */
export type SendResult =
  /** Taken; `refused` of the items were not (partial success). `odd` says what answered, where that was no OTLP answer. */
  | {
      readonly status: 'taken';
      readonly refused: number;
      readonly detail: string | undefined;
      readonly odd?: string;
    }
  /** Worth another try. */
  | {
      readonly status: 'later';
      readonly reason: LaterReason;
      readonly detail: string;
      /** The HTTP status of the answer, where there was one. */
      readonly code?: number;
      readonly retryAfterMs: number | undefined;
    }
  /** Larger than the receiver takes: 413, or a Collector's 400 that says so. */
  | { readonly status: 'too_large'; readonly code: number; readonly answer: string }
  /** Refused for good, because of what is in it. */
  | { readonly status: 'rejected'; readonly code: number; readonly answer: string };

/** What an HTTP client has of an answer. */
export interface OtlpAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly retryAfter: string | undefined;
  /** The body, or its beginning. */
  readonly text: string;
  /** Whether `text` is the whole body. */
  readonly isWhole: boolean;
}

const TOO_LARGE = 413;
/** The error of Go's `http.MaxBytesReader`. The Collector (0.159) answers 400 with this text if a request is above `max_request_body_size`. */
const BODY_TOO_LARGE = 'http: request body too large';
/** The specification's four, and 408, with which proxies give up a slow upload. */
const LATER: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);
/** What a server says that has no OTLP here, or not for this sender. */
const WRONG_ENDPOINT: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 415, 501]);

/**
 * What an answer means. Source: the OTLP specification's section on HTTP responses: 200 is success, and nothing in its body makes it a reason to send
 * again; 429, 502, 503 and 504 are to be tried again; all other errors are not. The difference between a batch and an endpoint that is wrong is ours:
 * the specification would drop everything because of a typing error in an address, or of the page of a captive portal, which comes with 200.
 * @param epochMs the time, for a `Retry-After` that is a date
 */
export function judgeAnswer(
  { status, contentType, retryAfter, text, isWhole }: OtlpAnswer,
  epochMs: number,
): SendResult {
  const later = (reason: LaterReason, detail: string): SendResult => ({
    status: 'later',
    reason,
    detail,
    code: status,
    retryAfterMs: retryAfterMs(retryAfter, epochMs),
  });
  if (status >= 200 && status < 300) {
    if (isProtobuf(contentType) || text.trim() === '')
      return { status: 'taken', refused: 0, detail: undefined };
    // Too long to be read: to send it again would only double it.
    if (!isWhole && isJson(contentType)) return { status: 'taken', refused: 0, detail: undefined };
    const body = parsed(text);
    if (body) return { status: 'taken', ...partialSuccess(body) };
    if (isMarkup(contentType, text)) {
      return later('refused', `HTTP ${status} with a page that is no OTLP answer${said(text)}`);
    }
    const odd = `HTTP ${status} with ${contentType ?? 'a body'} that is no OTLP answer${said(text)}`;
    return { status: 'taken', refused: 0, detail: undefined, odd };
  }
  if (LATER.has(status)) return later('unavailable', `HTTP ${status}${said(text)}`);
  if (status < 400 || WRONG_ENDPOINT.has(status)) return later('refused', `HTTP ${status}${said(text)}`);
  const isTooLarge = status === TOO_LARGE || (status === 400 && text.includes(BODY_TOO_LARGE));
  return { status: isTooLarge ? 'too_large' : 'rejected', code: status, answer: text };
}

/** What a body says, behind a status. */
function said(text: string): string {
  const words = firstWords(text);
  return /\p{L}/u.test(words) ? `: "${words}"` : '';
}

/** Reads `Retry-After`: seconds, or a date. */
function retryAfterMs(value: string | undefined, epochMs: number): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1_000 : undefined;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - epochMs);
}

function partialSuccess(answer: Readonly<Record<string, unknown>>): {
  readonly refused: number;
  readonly detail: string | undefined;
} {
  const partial = answer['partialSuccess'];
  if (!isRecord(partial)) return { refused: 0, detail: undefined };
  const refused = Number(
    partial['rejectedSpans'] ?? partial['rejectedDataPoints'] ?? partial['rejectedLogRecords'] ?? 0,
  );
  const message = partial['errorMessage'];
  return {
    refused: Number.isSafeInteger(refused) && refused > 0 ? refused : 0,
    detail: typeof message === 'string' && message !== '' ? message : undefined,
  };
}

/** Some receivers answer JSON with their native form. */
function isProtobuf(contentType: string | undefined): boolean {
  return contentType?.startsWith('application/x-protobuf') ?? false;
}

function isJson(contentType: string | undefined): boolean {
  return contentType?.startsWith('application/json') ?? false;
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
