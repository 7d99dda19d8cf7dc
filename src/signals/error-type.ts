import { errorReason } from '../core/error-line.ts';
import { redactText } from '../core/secret-text.ts';
import { OTHER } from './semconv.ts';

const MAX_LENGTH = 80;

/** An error and its causes, as far as they are looked at. */
const MAX_CAUSES = 5;

/**
 * `error.type` as the semantic conventions want it: stable and of few values. The first of: the error's `code`, the `code` of its cause, its HTTP status, its class.
 * `fetch` rejects with `TypeError: fetch failed` whatever the reason is; only the cause tells it.
 * @returns such as `ECONNREFUSED`, `ERR_KEELSON_TIMEOUT`, `503`, `TypeError`; `_OTHER` for what is no error
 */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return OTHER;
  for (const each of withCauses(error)) {
    const code = property(each, 'code');
    if (typeof code === 'string' && code.length > 0) return code.slice(0, MAX_LENGTH);
  }
  return statusOf(error) ?? className(error);
}

/** What an error says, followed by what its causes say: `fetch failed: connect ECONNREFUSED 127.0.0.1:80`. Without secrets. */
export function errorMessage(error: unknown): string {
  if (!(error instanceof Error)) return redactText(String(error));
  let text = '';
  for (const each of withCauses(error)) {
    const message = messageOf(each);
    if (message === '' || text.includes(message)) continue;
    text = text === '' ? message : `${text}: ${message}`;
  }
  return redactText(text);
}

/** {@link errorMessage} for the text of a log record: one line without a full stop, or the type of an error that says nothing. */
export function failureReason(error: unknown): string {
  return errorReason(errorMessage(error)) || errorType(error);
}

function* withCauses(error: unknown): Generator {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth += 1) {
    yield current;
    current = property(current, 'cause');
  }
}

/** A connection that several addresses refused has no message of its own. */
function messageOf(error: unknown): string {
  const message = property(error, 'message');
  if (typeof message === 'string' && message !== '') return message;
  const errors = property(error, 'errors');
  const first = Array.isArray(errors) ? property(errors[0], 'message') : undefined;
  return typeof first === 'string' ? first : '';
}

/** The HTTP status that an error carries, as the clients of HTTP put it there. */
function statusOf(error: unknown): string | undefined {
  for (const holder of [error, property(error, 'response')]) {
    for (const name of ['status', 'statusCode']) {
      const status = property(holder, name);
      if (typeof status === 'number' && status >= 100 && status < 600) return String(status);
    }
  }
  return undefined;
}

function className(error: Error): string {
  const own = property(error, 'name');
  const name = own === 'Error' ? error.constructor.name : own;
  return typeof name === 'string' && name !== '' ? name.slice(0, MAX_LENGTH) : OTHER;
}

/** A property that throws when it is read is as good as none. */
function property(holder: unknown, name: string): unknown {
  if (typeof holder !== 'object' || holder === null) return undefined;
  try {
    return Reflect.get(holder, name);
  } catch {
    return undefined;
  }
}

/** Lets a limited number of distinct values through. Any further value becomes `_OTHER`. */
export class BoundedLabels {
  readonly #limit: number;
  readonly #known = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#limit) return OTHER;
    this.#known.add(value);
    return value;
  }
}
