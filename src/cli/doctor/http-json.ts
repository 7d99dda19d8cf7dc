import type { Clock } from '../../core/clock.ts';
import { systemCode } from '../../storage/index.ts';
import { shownUrl } from '../../telemetry/environment-otlp.ts';

/** What came of a question over HTTP. */
export type JsonAnswer =
  | { readonly kind: 'json'; readonly status: number; readonly body: unknown }
  /** Somebody answered, and not with JSON. */
  | { readonly kind: 'foreign'; readonly status: number; readonly what: string }
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
    if (timeout.signal.aborted) return { kind: 'away', why: `no answer within ${TIMEOUT_MS / 1_000} s` };
    if (error instanceof TooLong) return { kind: 'foreign', status: 0, what: 'an answer of more than 4 MiB' };
    return { kind: 'away', why: reasonOf(error instanceof Error ? error.cause : undefined) };
  } finally {
    timer.cancel();
  }
}

/** `fetch` keeps the reason of a failure in its cause: a system's error, or a few words such as `bad port`. */
function reasonOf(cause: unknown): string {
  if (systemCode(cause) !== 'UNKNOWN') return systemCode(cause);
  return cause instanceof Error ? cause.message : 'the request failed';
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
    const isPage = contentType?.includes('html') === true || /^\s*</.test(text);
    return { kind: 'foreign', status, what: isPage ? 'an HTML page' : (contentType ?? 'no JSON') };
  }
}

/** What a person is told of an answer that is not the expected one. */
export function describeAnswer(answer: JsonAnswer, base: URL): string {
  const where = shownUrl(base.href);
  switch (answer.kind) {
    case 'away':
      return `Nobody answers at ${where}: ${answer.why}.`;
    case 'foreign':
      return `Something else answers at ${where}: ${answer.what} with HTTP ${answer.status}.`;
    case 'json':
      return `${where} answers HTTP ${answer.status} with JSON of another shape.`;
  }
}
