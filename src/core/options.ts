import { ConfigError } from './errors.ts';
import { MAX_TIMER_MS, parseDuration } from './time/duration.ts';

/** Stands for a value that a message must not repeat, such as an address with a password in it. */
export const NOT_SHOWN: unique symbol = Symbol('not shown');

/** Stands for a function whose answer is a promise or a generator. */
const NOT_AT_ONCE: unique symbol = Symbol('not at once');

/** The limits of a number. */
export interface NumberRange {
  readonly min: number;
  readonly max?: number;
  readonly integer?: boolean;
  /** Whether `min` itself is refused. */
  readonly exclusiveMin?: boolean;
}

/** Checks options and collects every problem, so that the user sees them all at once. */
export class OptionChecker {
  readonly #subject: string;
  readonly #problems: string[];
  readonly #path: string;

  /** @param subject who the options are for, as the message begins: `guard "payments"` */
  constructor(subject: string, path = '', problems: string[] = []) {
    this.#subject = subject;
    this.#path = path;
    this.#problems = problems;
  }

  /** A checker for the options under `key`; what it finds is part of this one's report. */
  under(key: string): OptionChecker {
    return new OptionChecker(this.#subject, `${this.#path}${key}.`, this.#problems);
  }

  /** Adds a problem: what was expected, what came, and what to do. */
  problem(key: string, expected: string, got: unknown, remedy: string): void {
    this.#problems.push(`Expected \`${this.#path}${key}\` ${expected}, got ${show(got)}. ${remedy}`);
  }

  /** Reports keys that no option has, with the nearest one that exists. Also reports a value that is no plain object. @param remedies what to do about names that are used by mistake */
  keys(
    options: object | undefined,
    known: readonly string[],
    remedies: Readonly<Record<string, string>> = {},
  ): void {
    if (options === undefined) return;
    if (typeof options !== 'object' || options === null || Array.isArray(options)) {
      const name = this.#path.slice(0, -1);
      this.#problems.push(
        `Expected ${name ? `\`${name}\`` : 'the options'} to be an object, got ${show(options)}. Known keys: ${known.join(', ')}.`,
      );
      return;
    }
    for (const key of Object.keys(options)) {
      if (known.includes(key)) continue;
      const near = nearestName(key, known);
      const remedy =
        (Object.hasOwn(remedies, key) && remedies[key]) ||
        (near ? `Did you mean \`${near}\`?` : `Known: ${known.join(', ')}.`);
      this.#problems.push(`Unknown option \`${this.#path}${key}\`. ${remedy}`);
    }
  }

  /**
   * @param remedy what to do, where the fallback is no default
   * @returns the number, or `fallback` where it is absent or refused
   */
  number(
    key: string,
    value: unknown,
    range: NumberRange,
    fallback: number,
    remedy: string = `The default is ${fallback}.`,
  ): number {
    if (value === undefined) return fallback;
    if (typeof value === 'number' && inRange(value, range)) return value;
    this.problem(key, describeRange(range), value, remedy);
    return fallback;
  }

  /** @returns milliseconds, or `fallback` (which may be `undefined`: no limit) where it is absent or refused */
  duration<F extends number | undefined>(
    key: string,
    value: unknown,
    minMs: number,
    fallback: F,
  ): number | F {
    if (value === undefined) return fallback;
    const ms = parseDuration(value);
    if (ms !== undefined && ms >= minMs && ms <= MAX_TIMER_MS) return ms;
    const least = minMs > 0 ? ` of at least ${minMs} ms` : '';
    this.problem(
      key,
      `to be a duration${least} and at most 24.8 days`,
      value,
      "Use milliseconds or a number with its unit, such as '250ms', '1.5s', '2m'.",
    );
    return fallback;
  }

  /** @returns the boolean, or `fallback` where it is absent or refused */
  boolean(key: string, value: unknown, fallback: boolean): boolean {
    if (value === undefined) return fallback;
    if (typeof value === 'boolean') return value;
    this.problem(key, 'to be true or false', value, `The default is ${fallback}.`);
    return fallback;
  }

  /** Reports a value that is neither absent nor a function. */
  function(key: string, value: unknown, what: string): void {
    if (value !== undefined && typeof value !== 'function')
      this.problem(key, 'to be a function', value, what);
  }

  /** Reports a value that is neither absent nor a function that answers at once: a promise in place of an answer would always mean yes. */
  filter(key: string, value: unknown, what: string): void {
    if (
      typeof value === 'function' &&
      /^\[object (?:Async|.*Generator)/.test(Object.prototype.toString.call(value))
    )
      this.problem(key, 'to be a function that answers at once', NOT_AT_ONCE, what);
    else this.function(key, value, what);
  }

  /** The report; `undefined` where there is no problem. */
  error(): ConfigError | undefined {
    return this.#problems.length > 0 ? new ConfigError(this.#subject, this.#problems) : undefined;
  }

  /** @throws {ConfigError} where there is any problem */
  done(): void {
    const error = this.error();
    if (error) throw error;
  }
}

function inRange(value: number, { min, max, integer, exclusiveMin }: NumberRange): boolean {
  if (!Number.isFinite(value)) return false;
  if (integer && !Number.isInteger(value)) return false;
  return (exclusiveMin ? value > min : value >= min) && (max === undefined || value <= max);
}

function describeRange({ min, max, integer, exclusiveMin }: NumberRange): string {
  const kind = integer ? 'to be a whole number' : 'to be a number';
  if (max === undefined) return `${kind} ${exclusiveMin ? 'above' : 'of at least'} ${min}`;
  return `${kind} in ${exclusiveMin ? '(' : '['}${min}, ${max}]`;
}

/** A value as messages show it, with its type. What is inside of an object is not shown. */
export function show(value: unknown): string {
  if (value === NOT_AT_ONCE) return 'an async or generator function';
  if (value === NOT_SHOWN) return 'something else (not shown, since it may hold a secret)';
  if (typeof value === 'string') return `'${value}' (string)`;
  if (typeof value === 'number' || typeof value === 'boolean') return `${value} (${typeof value})`;
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}

/** The known name that `word` is most likely meant to be: at most two letters away; `undefined` where none is near. */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = 3;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** How many letters are to be changed, added or taken away: Levenshtein's distance, by the usual one-row table. */
export function editDistance(a: string, b: string): number {
  const row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    let diagonal = row[0] ?? 0;
    row[0] = i;
    for (let j = 1; j <= b.length; j += 1) {
      const above = row[j] ?? 0;
      row[j] = Math.min(above + 1, (row[j - 1] ?? 0) + 1, diagonal + (a[i - 1] === b[j - 1] ? 0 : 1));
      diagonal = above;
    }
  }
  return row[b.length] ?? 0;
}
