import { redactText } from './secret-text.ts';

const MAX_LENGTH = 300;
/** User and password of an address. */
const CREDENTIALS = /:\/\/[^\s/@]*@/g;

/** What an error says, as one line that ends in a full stop: its type and message, without secrets and the credentials of addresses, at most 300 characters. */
export function errorLine(error: unknown): string {
  const line = oneLine(error);
  return /[.…!?]$/.test(line) ? line : `${line}.`;
}

/** As {@link errorLine}, without the full stop: for the middle of a sentence. */
export function errorReason(error: unknown): string {
  return oneLine(error).replace(/\.$/, '');
}

function oneLine(error: unknown): string {
  const text = redactText(textOf(error).replaceAll(CREDENTIALS, '://***@'))
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}

function textOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return String(error);
    // A connection that several addresses refused has no message of its own.
    const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
    return error.message === '' && first !== undefined ? textOf(first) : `${error.name}: ${error.message}`;
  } catch {
    return 'an error that cannot be read';
  }
}
