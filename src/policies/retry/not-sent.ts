import type { AttemptRequests } from './attempt-requests.ts';

const MARKED = Symbol.for('keelson.notSent.v1');

/** Holds the marks of the process: guards of another copy of the package see them. A mark touches no error: a frozen one can have it. */
const holder = globalThis as { [MARKED]?: WeakSet<object> };

let hasWarned = false;

/**
 * Marks an error: what the function was called for was surely not sent, so that a call with `idempotent: false` may be retried. Throw the
 * error out of the function of the guard: `throw notSent(error)`. The mark speaks to that guard alone, and only on the error itself, not
 * from among the causes of another error. A guard around that one does not see it, since its function may have done more.
 * @param error the error, frozen or not. A text, a number or another value that is no object cannot be marked: it comes back as it is, its
 * call is not retried, and the process warns once.
 * @returns the same error
 */
export function notSent<E>(error: E): E {
  if (isMarkable(error)) {
    holder[MARKED] ??= new WeakSet();
    holder[MARKED].add(error);
  } else if (!hasWarned) {
    hasWarned = true;
    const type = error === null ? 'null' : typeof error;
    process.emitWarning(
      `notSent() was given a value of type ${type}, which cannot be marked. The call is not retried. Throw an Error: \`throw notSent(new Error(...))\`.`,
      { type: 'KeelsonWarning', code: 'KEELSON_NOT_SENT' },
    );
  }
  return error;
}

/** Whether {@link notSent} has marked the error, and it has not left its guard since. */
export function isMarkedNotSent(error: unknown): boolean {
  return isMarkable(error) && (holder[MARKED]?.has(error) ?? false);
}

/** Takes the mark off an error that leaves a guard. */
export function forgetNotSent(error: unknown): void {
  if (isMarkable(error)) holder[MARKED]?.delete(error);
}

/** Takes the mark off an error that an attempt has ended with: thrown again, the same object says nothing. @returns whether it had one */
export function takeNotSent(error: unknown): boolean {
  const isMarked = isMarkedNotSent(error);
  forgetNotSent(error);
  return isMarked;
}

/**
 * Whether an attempt surely did not reach a server, so that another cannot do its work twice. What an error looks like, such as its `code`,
 * proves nothing: it may be that of a second request, after the first went through. A doubt means no.
 * @param error what ended the attempt
 * @param requests what was seen of the attempt; `undefined` if nobody watched
 */
export function surelyNotSent(error: unknown, requests: AttemptRequests | undefined): boolean {
  return isMarkedNotSent(error) || (requests?.sentNothing ?? false);
}

function isMarkable(error: unknown): error is object {
  return (typeof error === 'object' && error !== null) || typeof error === 'function';
}
