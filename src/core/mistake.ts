import { errorLine } from './error-line.ts';
import { redactText } from './secret-text.ts';

const MISTAKES: ReadonlySet<unknown> = new Set(['ReferenceError', 'SyntaxError', 'RangeError', 'TypeError']);
/** Errors of Keelson that say what is wrong in the program. */
const MISTAKE_CODES: ReadonlySet<unknown> = new Set(['ERR_KEELSON_CONFIG', 'ERR_KEELSON_CACHE_VALUE']);

/**
 * Whether an error is probably a mistake of the program, and not a failure of what it calls: a `ReferenceError`, `SyntaxError`, `RangeError`, a
 * `TypeError` without a `cause` (that of `fetch` has one), or an error of Keelson about options and values. By their names, since errors come
 * from several realms.
 */
export function isMistake(error: unknown): error is Error {
  if (Object.prototype.toString.call(error) !== '[object Error]') return false;
  const { name, cause, code } = error as Error & { readonly code?: unknown };
  return MISTAKE_CODES.has(code) || (MISTAKES.has(name) && (name !== 'TypeError' || cause === undefined));
}

/** The warning about a mistake for which a value stood in, with its stack. @param who what threw it */
export function mistakeWarning(who: string, error: Error): string {
  const stack = redactText(error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line));
  return [
    `${who} threw ${errorLine(error)} That is probably a mistake of the program; callers get another value in its place. Mend it.`,
    ...stack,
  ].join('\n');
}
