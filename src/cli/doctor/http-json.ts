import type { Clock } from '../../core/time/clock.ts';
import { systemCode } from '../../storage/index.ts';
import { shownUrl } from '../../telemetry/otlp/http/index.ts';
import { answerExcerpt, isMarkup } from '../../telemetry/redaction/index.ts';

/** What came of a question over HTTP. */
export type JsonAnswer =
  | { readonly kind: 'json'; readonly status: number; readonly body: unknown }
  /** Somebody answered over HTTP, and not with JSON. `words` are the first of the answer. */
  | { readonly kind: 'foreign'; readonly status: number; readonly what: string; readonly words: string }
  /** Somebody took the connection, and does not speak HTTP, or not at all. */
  | { readonly kind: 'strange'; readonly what: string }
  /** There was no answer in time: nobody there, or somebody who says nothing. */
  | { readonly kind: 'silent' }
  /** Nobody answered. */
  | { readonly kind: 'away'; readonly why: string };

/** Asks a backend: its address, a path below it, a body to post. */
export interface Question {
  readonly base: URL;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Posted as JSON; without it the question is a GET. */
  readonly post?: unknown;
}

const TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 4_194_304;

class TooLong extends Error {}

/** @returns a promise that never rejects */
export async function askJson(
  { base, path, query, post }: Question,
  clock: Clock,
  signal: AbortSignal,
): Promise<JsonAnswer> {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
  for (const [key, value] of Object.entries(query ?? {})) url.searchParams.append(key, value);
  const authorization = takeCredentials(url);
  const timeout = new AbortController();
  const timer = clock.setTimer(() => timeout.abort(), TIMEOUT_MS);
  timer.unref();
  try {
    const response = await fetch(url, {
      method: post === undefined ? 'GET' : 'POST',
      redirect: 'manual',
      signal: AbortSignal.any([timeout.signal, signal]),
      headers: {
        accept: 'application/json',
        ...(authorization !== undefined && { authorization }),
        ...(post !== undefined && { 'content-type': 'application/json' }),
      },
      ...(post !== undefined && { body: JSON.stringify(post) }),
    });
    return readAnswer(response.status, response.headers.get('content-type'), await readText(response));
  } catch (error) {
    if (timeout.signal.aborted) return { kind: 'silent' };
    if (error instanceof TooLong) return { kind: 'strange', what: 'it answers with more than 4 MiB' };
    return failureOf(error instanceof Error ? error.cause : undefined);
  } finally {
    timer.cancel();
  }
}

/** Codes of a connection that was taken by something that is no HTTP server, or one that wants another scheme. */
const STRANGE: Readonly<Record<string, string>> = {
  UND_ERR_SOCKET: 'it takes the connection and closes it without an answer',
  ECONNRESET: 'it takes the connection and breaks it off',
  EPIPE: 'it takes the connection and breaks it off',
  EPROTO: 'it does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
};

/** `fetch` keeps the reason of a failure in its cause: a system's or parser's error, or a few words such as `bad port`. */
function failureOf(cause: unknown): JsonAnswer {
  const code = systemCode(cause);
  // The parser's error has no code in every version, and keeps what it could not read.
  if (cause instanceof Error && cause.name === 'HTTPParserError') {
    const data: unknown = Reflect.get(cause, 'data');
    const words = answerExcerpt(typeof data === 'string' ? data : '');
    return { kind: 'strange', what: `it does not speak HTTP${words === '' ? '' : `: "${words}"`}` };
  }
  const strange = STRANGE[code];
  if (strange !== undefined) return { kind: 'strange', what: `${strange} (${code})` };
  if (code !== 'UNKNOWN') return { kind: 'away', why: code };
  return { kind: 'away', why: cause instanceof Error ? cause.message : 'the request failed' };
}

/** `fetch` takes no user and password in an address. */
function takeCredentials(url: URL): string | undefined {
  const { username, password } = url;
  if (username === '' && password === '') return undefined;
  url.username = '';
  url.password = '';
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) throw new TooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readAnswer(status: number, contentType: string | null, text: string): JsonAnswer {
  // Alertmanager answers a post with an empty body.
  if (text.trim() === '' && status >= 200 && status < 300) return { kind: 'json', status, body: undefined };
  try {
    return { kind: 'json', status, body: JSON.parse(text) };
  } catch {
    const what = isMarkup(contentType ?? undefined, text) ? 'an HTML page' : (contentType ?? 'no JSON');
    return { kind: 'foreign', status, what, words: answerExcerpt(text) };
  }
}

/** What a person is told of an answer that is not the expected one. */
export function describeAnswer(answer: JsonAnswer, base: URL): string {
  const where = shownUrl(base.href);
  switch (answer.kind) {
    case 'away':
      return `Nobody answers at ${where}: ${answer.why}.`;
    case 'silent':
      return `${where} gives no answer within ${TIMEOUT_MS / 1_000} s.`;
    case 'strange':
      return `Something else listens at ${where}: ${answer.what}.`;
    case 'foreign': {
      const words = answer.words === '' ? '' : `: "${answer.words}"`;
      return `Something else answers at ${where}: ${answer.what} with HTTP ${answer.status}${words}.`;
    }
    case 'json': {
      const words = answer.body === undefined ? 'nothing' : answerExcerpt(JSON.stringify(answer.body));
      return `${where} answers HTTP ${answer.status} with JSON of another shape: ${words}.`;
    }
  }
}

/** A backend, as messages about it name it. */
export interface BackendName {
  /** `Jaeger`. */
  readonly name: string;
  /** The option that names its address, such as `--jaeger`; `--skip` takes it without the dashes. */
  readonly option: string;
}

const UNAUTHORIZED: ReadonlySet<number> = new Set([401, 403, 407]);
const FIRST_SERVER_ERROR = 500;

/** What to do about an answer that is not the expected one. */
export function remedyFor(answer: JsonAnswer, base: URL, { name, option }: BackendName): string {
  const orElse = `name its address with ${option}, or leave it out with --skip ${option.slice(2)}.`;
  if (answer.kind === 'away') return `Start ${name} (npx keelson stack up), ${orElse}`;
  const port = base.port === '' ? base.protocol.slice(0, -1) : base.port;
  const find = `find out which (lsof -i :${port})`;
  if (answer.kind === 'silent') {
    return `A program that is not ${name} listens there: ${find}; ${name} is overloaded, or a firewall swallows the packets; or ${orElse}`;
  }
  const status = answer.kind === 'strange' ? 0 : answer.status;
  if (UNAUTHORIZED.has(status)) {
    return `It wants to know who asks: put user and password into the address, ${option} ${base.protocol}//user:password@${base.host}.`;
  }
  if (status >= FIRST_SERVER_ERROR)
    return `If that is ${name} or a proxy before it, look at its log; otherwise ${orElse}`;
  return `Another program than ${name} has this address: ${find} and stop or move it; or ${orElse}`;
}
