import { ConfigError } from '../core/errors.ts';

/** A method as a decorator replaces it: whatever it takes and gives. */
export type Method = (this: unknown, ...args: unknown[]) => unknown;

/** The method that a decorator is on. */
export interface DecoratedMethod {
  readonly method: Method;
  readonly name: PropertyKey;
  /** What the decorator returns, so that the class has `standIn` in place of the method. */
  readonly replacedBy: (standIn: Method) => unknown;
}

/**
 * Reads the arguments of a decorator. Compilers pass one of two forms: `(method, context)` for standard decorators, and
 * `(target, key, descriptor)` for those of `experimentalDecorators`, which NestJS and TypeORM need.
 * @throws {ConfigError} if the decorator is on something that is no method, or on a generator
 */
export function decoratedMethod(given: readonly unknown[]): DecoratedMethod {
  const [target, second, descriptor] = given;
  if (typeof second === 'string' || typeof second === 'symbol') return legacyMethod(second, descriptor);
  const context = Object(second) as { readonly kind?: unknown; readonly name?: PropertyKey };
  if (context.kind === 'method' && context.name !== undefined)
    return { method: callable(target, context.name), name: context.name, replacedBy: (standIn) => standIn };
  throw misplaced(`a ${kindOf(target, context.kind)}`, context.name);
}

/** Gives `standIn` what other code looks for on a method: name, length, properties, and the metadata of `reflect-metadata`. */
export function copyIdentity(method: Method, standIn: Method): void {
  for (const key of Reflect.ownKeys(method)) {
    const property = Object.getOwnPropertyDescriptor(method, key);
    if (property && !OF_THE_FUNCTION.has(key)) Object.defineProperty(standIn, key, property);
  }
  const { getOwnMetadataKeys, getOwnMetadata, defineMetadata } = Reflect as Partial<ReflectMetadata>;
  if (!getOwnMetadataKeys || !getOwnMetadata || !defineMetadata) return;
  for (const key of getOwnMetadataKeys(method)) defineMetadata(key, getOwnMetadata(key, method), standIn);
}

/** What each function has of its own. */
const OF_THE_FUNCTION: ReadonlySet<PropertyKey> = new Set(['prototype', 'arguments', 'caller']);
const GENERATORS: ReadonlySet<string> = new Set(['AsyncGeneratorFunction', 'GeneratorFunction']);

/** What the package `reflect-metadata` adds to `Reflect`. */
interface ReflectMetadata {
  getOwnMetadataKeys(target: object): unknown[];
  getOwnMetadata(key: unknown, target: object): unknown;
  defineMetadata(key: unknown, value: unknown, target: object): void;
}

function legacyMethod(key: string | symbol, descriptor: unknown): DecoratedMethod {
  if (typeof descriptor === 'number') throw misplaced('a parameter', key);
  if (typeof descriptor !== 'object' || descriptor === null) throw misplaced('a field', key);
  if ('get' in descriptor || 'set' in descriptor) throw misplaced('an accessor', key);
  if ('initializer' in descriptor) throw misplaced('a field', key);
  const method = callable((descriptor as PropertyDescriptor).value, key);
  return { method, name: key, replacedBy: (standIn) => ({ ...descriptor, value: standIn }) };
}

function callable(method: unknown, name: PropertyKey): Method {
  if (typeof method !== 'function') throw misplaced(`a value of type ${typeof method}`, name);
  if (GENERATORS.has(Object.prototype.toString.call(method).slice('[object '.length, -1)))
    throw misplaced('a generator', name);
  return method as Method;
}

function kindOf(target: unknown, kind: unknown): string {
  if (typeof kind === 'string') return kind;
  return typeof target === 'function' ? 'class' : `value of type ${typeof target}`;
}

function misplaced(what: string, name: PropertyKey | undefined): ConfigError {
  const named = name === undefined ? what : `${what} (\`${String(name)}\`)`;
  return new ConfigError('@guarded', [
    `Expected a method that returns a promise, got ${named.replace(/^a (?=[aeiou])/, 'an ')}. ` +
      'Put `@guarded` on each method that calls the dependency; call anything else in `guard(name).run()`.',
  ]);
}
