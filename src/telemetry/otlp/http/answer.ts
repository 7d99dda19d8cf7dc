import { parseRetryAfter } from '../../../core/http/retry-after.ts';
import { answerExcerpt, isMarkup } from '../../redaction/index.ts';
import { isJsonObject } from '../shape.ts';
import type { JsonObject } from '../shape.ts';

/**
 * Why a batch is to be sent again.
 * - `unreachable`: there is no connection, or it broke off
 * - `timeout`: no answer came in time
 * - `unavailable`: the receiver asked to try later
 * - `refused`: what listens there is no receiver, or wants other headers. The batch is not to blame
 */
export type LaterReason = 'unreachable' | 'timeout' | 'unavailable' | 'refused';

/** How a request to an OTLP receiver ended. */
export type SendResult =
  /** The receiver took the batch, except for `refused` items (partial success). `odd` describes an answer that is none of OTLP's. */
  | {
      readonly status: 'taken';
      readonly refused: number;
      readonly detail: string | undefined;
      readonly odd?: string;
    }
  /** The batch is to be sent again. */
  | {
      readonly status: 'later';
      readonly reason: LaterReason;
      readonly detail: string;
      /** The HTTP status of the answer, if there was one. */
      readonly code?: number;
      readonly retryAfterMs: number | undefined;
    }
  /** The batch is larger than the receiver takes: 413, or a Collector's 400 that says so. */
  | { readonly status: 'too_large'; readonly code: number; readonly answer: string }
  /** The receiver refused the batch for good, because of its content. */
  | { readonly status: 'rejected'; readonly code: number; readonly answer: string };

/** The parts of an HTTP answer that decide what it means. */
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
/** The four statuses of the specification, and 408, with which proxies give up a slow upload. */
const LATER: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);
/** The statuses of a server that takes no OTLP at this address, or not from this sender. */
const WRONG_ENDPOINT: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 415, 501]);

/**
 * What an answer means for the batch.
 *
 * Source: the OTLP specification's section on HTTP responses. 200 is success, and no body of it is a reason to send again. 429, 502, 503 and 504 are to
 * be tried again, and all other errors are not. Telling a wrong endpoint from a wrong batch is our addition: the specification would drop every batch
 * for a typing error in the address, or for the page of a captive portal, which comes with 200.
 * @param epochMs now, in milliseconds since 1970, for a `Retry-After` that is a date
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
    retryAfterMs: retryAfter === undefined ? undefined : parseRetryAfter(retryAfter, epochMs),
  });
  if (status >= 200 && status < 300) {
    if (isProtobuf(contentType) || text.trim() === '')
      return { status: 'taken', refused: 0, detail: undefined };
    // Too long to be read. The receiver has the batch, and sending it again would only double it.
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

/** The beginning of a body, as the end of a message about its status. */
function said(text: string): string {
  const words = answerExcerpt(text);
  return /\p{L}/u.test(words) ? `: "${words}"` : '';
}

function partialSuccess(answer: JsonObject): {
  readonly refused: number;
  readonly detail: string | undefined;
} {
  const partial = answer['partialSuccess'];
  if (!isJsonObject(partial)) return { refused: 0, detail: undefined };
  const refused = Number(
    partial['rejectedSpans'] ?? partial['rejectedDataPoints'] ?? partial['rejectedLogRecords'] ?? 0,
  );
  const message = partial['errorMessage'];
  return {
    refused: Number.isSafeInteger(refused) && refused > 0 ? refused : 0,
    detail: typeof message === 'string' && message !== '' ? message : undefined,
  };
}

/** Whether a receiver answered JSON with protobuf, as some do. */
function isProtobuf(contentType: string | undefined): boolean {
  return contentType?.startsWith('application/x-protobuf') ?? false;
}

function isJson(contentType: string | undefined): boolean {
  return contentType?.startsWith('application/json') ?? false;
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
