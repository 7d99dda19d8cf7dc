import type { ConfigError } from '../../core/errors.ts';
import { nearestName, OptionChecker } from '../../core/options.ts';
import type { CallOptions } from './call.ts';

const KNOWN: readonly (keyof CallOptions)[] = [
  'signal',
  'requestId',
  'idempotent',
  'inherit',
  'cacheKey',
  'dispose',
];

/** Calls with options are looked at once for each operation, and so many operations; what comes later is taken as it is. */
const MAX_OPERATIONS = 50;

/** A cache that so many calls have given no key does nothing, and nobody may have noticed. */
const KEYLESS_CALLS = 100;

/** What is wrong with the arguments of a call; `undefined` where nothing is. */
export function argumentProblem(
  guard: string,
  operation: unknown,
  fn: unknown,
  options: CallOptions | undefined,
): ConfigError | undefined {
  const isRight = typeof operation === 'string' && operation !== '' && typeof fn === 'function';
  if (isRight && (!options || areUsable(options))) return undefined;
  const check = new OptionChecker(`guard "${guard}"`);
  if (typeof operation !== 'string' || operation === '')
    check.problem('operation', 'to be a name', operation, "Say what is done: 'charge'.");
  if (typeof fn !== 'function')
    check.problem(
      'fn',
      'to be a function',
      fn,
      'Wrap the call: `({ signal }) => client.charge({ signal })`.',
    );
  if (options) checkOptions(options, check);
  return check.error();
}

function areUsable({ signal, cacheKey, idempotent, inherit, dispose }: CallOptions): boolean {
  return (
    (!signal || isSignal(signal)) &&
    (cacheKey === undefined || typeof cacheKey === 'string') &&
    (idempotent === undefined || typeof idempotent === 'boolean') &&
    (inherit === undefined || typeof inherit === 'boolean') &&
    (dispose === undefined || typeof dispose === 'function')
  );
}

function isSignal(signal: AbortSignal): boolean {
  return typeof signal.addEventListener === 'function';
}

function checkOptions(
  { signal, cacheKey, idempotent, inherit, dispose }: CallOptions,
  check: OptionChecker,
): void {
  check.function('dispose', dispose, 'Give a function that takes the value and frees what it holds.');
  if (signal && !isSignal(signal))
    check.problem('signal', 'to be an AbortSignal', signal, 'Use `new AbortController().signal`.');
  if (cacheKey !== undefined && typeof cacheKey !== 'string') {
    const remedy = 'Write what tells the values apart as text: `String(id)`.';
    check.problem('cacheKey', 'to be a string', cacheKey, remedy);
  }
  if (idempotent !== undefined && typeof idempotent !== 'boolean') {
    const remedy = 'Leave it out where the work may be done twice.';
    check.problem('idempotent', 'to be true or false', idempotent, remedy);
  }
  if (inherit !== undefined && typeof inherit !== 'boolean') {
    const remedy = 'Give false for work that several callers share, else leave it out.';
    check.problem('inherit', 'to be true or false', inherit, remedy);
  }
}

/** Hints at call options that do nothing, once for each guard: a mistake in them is worth a warning, and no call. */
export class CallHints {
  readonly #warn: (message: string) => void;
  readonly #operations = new Set<string>();
  #keylessCalls = 0;
  #isDone = false;

  /** @param warn takes what is wrong in the guard, which it names */
  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** Looks for options that do not exist, such as `cachekey`. */
  look(operation: string, options: CallOptions): void {
    if (this.#isDone || this.#operations.has(operation)) return;
    this.#operations.add(operation);
    this.#isDone = this.#operations.size >= MAX_OPERATIONS;
    for (const key of Object.keys(options)) {
      if ((KNOWN as readonly string[]).includes(key)) continue;
      this.#isDone = true;
      const near = nearestName(key, KNOWN);
      this.#warn(
        `Unknown call option \`${key}\` in \`run('${operation}', ...)\`. ` +
          (near ? `Did you mean \`${near}\`?` : `Known: ${KNOWN.join(', ')}.`),
      );
      return;
    }
  }

  /** A call has come to the guard's cache, with a key or without. */
  asked(key: string | undefined): void {
    if (key !== undefined) this.#keylessCalls = Number.NaN;
    else {
      this.#keylessCalls += 1;
      if (this.#keylessCalls === KEYLESS_CALLS) {
        this.#warn(
          `None of ${KEYLESS_CALLS} calls gave a \`cacheKey\`, so that the cache does nothing. ` +
            "Give one: `run('read', fn, { cacheKey: id })`, or leave the cache out.",
        );
      }
    }
  }
}
