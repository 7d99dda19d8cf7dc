import type { ResolvedGuard } from '../options/options.ts';

/** Values that are compared at most; options that are larger count as the same from there on. */
const MAX_VALUES = 10_000;

/**
 * Whether two sets of options mean the same guard, also where a module that was evaluated again has made its functions and objects anew. Equal
 * are: values, functions of the same source text (but for what a minifier chooses anew in each bundle), and objects of the same class with equal
 * properties. Functions without a source text, bound and native ones, are equal to themselves only.
 *
 * Functions of one text can still differ in what they close over. Whoever asks therefore takes the newer options in either case.
 */
export function sameOptions(a: unknown, b: unknown): boolean {
  try {
    return new Comparison().same(a, b);
  } catch {
    // A getter or a proxy of the user's that throws.
    return false;
  }
}

/**
 * Gives `options`, which a guard is running with, the functions and objects of `newer`, which mean the same: in place, so that the policies that
 * hold `options` have them from now on, and keep their state.
 */
export function takeNewer(options: ResolvedGuard, newer: ResolvedGuard): void {
  Object.assign(options, Object.fromEntries(merged(options, newer, () => true)));
}

/**
 * The options of an update.
 * @returns `newer`, in which every policy whose options are those of `options` is the very object of `options`, with its functions made newer
 */
export function keepPolicies(options: ResolvedGuard, newer: ResolvedGuard): ResolvedGuard {
  return { ...newer, ...Object.fromEntries(merged(options, newer, sameOptions)) };
}

function merged(
  options: ResolvedGuard,
  newer: ResolvedGuard,
  isSame: (a: object, b: object) => boolean,
): [key: string, value: unknown][] {
  return Object.entries(newer).map(([key, value]: [string, unknown]) => {
    const before: unknown = Reflect.get(options, key);
    const isPolicy =
      typeof before === 'object' && before !== null && typeof value === 'object' && value !== null;
    return [key, isPolicy && isSame(before, value) ? Object.assign(before, value) : value];
  });
}

/** One comparison: it ends for values that contain themselves, and for very large ones. */
class Comparison {
  readonly #begun = new Map<object, object>();
  #left = MAX_VALUES;

  /** @param isInside whether the values belong to an object of a class */
  same(a: unknown, b: unknown, isInside = false): boolean {
    this.#left -= 1;
    if (Object.is(a, b) || this.#left < 0) return true;
    if (typeof a === 'function' && typeof b === 'function') return sameFunction(a, b);
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
    if (this.#begun.get(a) === b) return true;
    this.#begun.set(a, b);
    if (Array.isArray(a) || Array.isArray(b)) return this.#sameArrays(a, b, isInside);
    if (!sameClass(a, b)) return false;
    if (a instanceof Date || a instanceof RegExp) return Object.is(valueOf(a), valueOf(b));
    if (a instanceof Map || a instanceof Set)
      return this.#sameArrays([...a], [...(b as Iterable<unknown>)], isInside);
    const isPlain = isPlainObject(a);
    // What an object of a class has made or opened, such as a socket, says nothing about the options.
    if (!isPlain && isInside) return true;
    return this.#sameProperties(a, b, isInside || !isPlain);
  }

  #sameArrays(a: unknown, b: unknown, isInside: boolean): boolean {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((value, index) => this.same(value, b[index], isInside));
  }

  #sameProperties(a: object, b: object, isInside: boolean): boolean {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].every((key) => this.same(Reflect.get(a, key), Reflect.get(b, key), isInside));
  }
}

const NATIVE = /\{\s*\[native code\]\s*\}\s*$/;
/** What a bundler makes of an imported name in a call: `(0,n.isHttpFailure)(error)`, `(0,e.i(1234).isHttpFailure)(error)`, `(0,m["default"])()`. */
const IMPORTED = /\(0,\s*[\w$]+(?:\.[\w$]+|\([^()]*\)|\[[^\]]*\])*\)/g;
/** The names of modules that bundlers make up while an application is developed: `__TURBOPACK__imported__module__...__["name"]`. */
const MODULE = /[\w$]*__(?:TURBOPACK|WEBPACK|vite_ssr|vi)_[\w$]*(?:\.[\w$]+|\[[^\]]*\])?/g;
/** A name of at most three characters that is no property and begins no string. */
const SHORT_NAME = /(?<![\w$.'"`])[A-Za-z_$][\w$]{0,2}(?![\w$])/g;

function sameFunction(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'function' || typeof b !== 'function') return false;
  const [one, other] = [Function.prototype.toString.call(a), Function.prototype.toString.call(b)];
  if (NATIVE.test(one) || NATIVE.test(other)) return false;
  return one === other || unminified(one) === unminified(other);
}

/** The text of a function without what is another in each bundle: short names of variables, which minifiers choose, and how imports are reached. */
function unminified(text: string): string {
  return text.replaceAll(IMPORTED, '_').replaceAll(MODULE, '_').replaceAll(SHORT_NAME, '_');
}

/** Whether both are of one class, or of one that was evaluated twice. */
function sameClass(a: object, b: object): boolean {
  if (isPlainObject(a) || isPlainObject(b)) return isPlainObject(a) && isPlainObject(b);
  const prototypes = [Object.getPrototypeOf(a), Object.getPrototypeOf(b)] as [object, object];
  return (
    prototypes[0] === prototypes[1] || sameFunction(prototypes[0].constructor, prototypes[1].constructor)
  );
}

/** Holds for objects of another realm too, as tests have them. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf');
}

function valueOf(value: unknown): unknown {
  return value instanceof Date ? value.getTime() : String(value);
}
