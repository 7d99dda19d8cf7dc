import { nearestName, OptionChecker } from '../core/options.ts';
import type { Random } from '../core/random.ts';
import { systemRandom } from '../core/random.ts';
import type { Clock } from '../core/time/clock.ts';
import { systemClock } from '../core/time/clock.ts';
import type { Providers } from '../signals/index.ts';
import { Signals } from '../signals/index.ts';
import type { Seats } from './call/reporter.ts';
import type { Guard } from './guard.ts';
import { entering } from './names/call-site.ts';
import { NameRegistry } from './names/name-registry.ts';
import type { CockatielPolicy } from './observe/cockatiel-view.ts';
import type { ObserveOptions } from './observe/observe.ts';
import type { GuardOptions } from './options/options.ts';
import type { GuardSnapshot } from './snapshot.ts';

/** Where an instance takes time, chance and telemetry from. */
export interface KeelsonOptions extends Providers {
  /** @defaultValue the clock of the machine */
  readonly clock?: Clock;
  /** @defaultValue `Math.random` */
  readonly random?: Random;
  /**
   * Told of options that do not fit together, of names that are created again with other options, and of stores and filters that fail.
   * @defaultValue `process.emitWarning`
   */
  readonly warn?: (message: string) => void;
}

/** Guards that share a clock, random numbers, telemetry and a registry of names. The top-level `guard` belongs to the default instance. */
export interface Keelson {
  /**
   * The guard of this name: made at the first call, the same one afterwards. A module that is evaluated again, by hot reload, Next.js or a test
   * runner, finds its guard with its state; the guard takes the newer functions. Other options change the guard as {@link Guard.update} does,
   * with a warning that names both places.
   * @param name the dependency, 1 to 120 characters; it labels everything that the guard reports
   * @param options the policies; leave them out to fetch a guard that exists
   * @throws {ConfigError} `ERR_KEELSON_CONFIG` for options that cannot be used; with `strict: true` also for a name that has other options, or
   *   that an observed policy has
   */
  guard<F = never>(name: string, options?: GuardOptions<F>): Guard<unknown extends F ? never : F>;
  /**
   * Gives a policy of cockatiel's (3 or 4; single or wrapped) the spans and metrics of a guard, without changing what it does. Policies that
   * are observed under one name, such as by a module that is evaluated again, count together; the state shown is that of the newest.
   * @returns a stand-in of the same type, to be used in place of `policy`
   * @throws {ConfigError} `ERR_KEELSON_CONFIG` for a name that cannot be used, or that a guard with `strict: true` has
   */
  observe<P extends CockatielPolicy>(policy: P, options: ObserveOptions): P;
  /** Every guard of the instance, in the order in which they were made. */
  guards(): readonly Guard[];
  /** A snapshot of every guard of the instance. */
  registry(): readonly GuardSnapshot[];
  /**
   * Disposes every guard of the instance, and takes the policies that it observes out of the metrics. Whoever holds one of them can go on
   * calling; the instance can make new ones.
   */
  dispose(): void;
  /** {@link Keelson.dispose}, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Makes an instance of its own, apart from the default one. Each call makes another: a module that is evaluated again has a new instance, with
 * guards of its own.
 * @throws {ConfigError} `ERR_KEELSON_CONFIG` for options that are misspelt
 */
export function createKeelson(options: KeelsonOptions = {}): Keelson {
  checkInstance(options);
  const { clock = systemClock, random = systemRandom, warn = emitWarning, ...providers } = options;
  const seats: Seats = { clock, random, warn, signals: new Signals(providers) };
  const names = new NameRegistry(seats);
  // A look-up must not pay for the closure of a creation.
  const create = (name: string, guardOptions: GuardOptions): Guard =>
    entering(guardNamed, () => names.guard(name, guardOptions));
  const guardNamed = (name: string, guardOptions?: GuardOptions): Guard =>
    guardOptions === undefined ? names.guard(name, undefined) : create(name, guardOptions);
  const observed = <P extends CockatielPolicy>(policy: P, observeOptions: ObserveOptions): P => {
    checkObserved(policy, observeOptions);
    return entering(observed, () => names.observe(policy, observeOptions));
  };
  return {
    guard: guardNamed,
    observe: observed,
    guards: () => names.guards,
    registry: () => names.guards.map((each) => each.snapshot()),
    dispose: () => names.clear(),
    [Symbol.dispose]: () => names.clear(),
  };
}

const KEYS = ['clock', 'random', 'warn', 'tracerProvider', 'meterProvider', 'loggerProvider'] as const;

/** Objects with much else are spread into the options, such as recorded telemetry: only what is nearly a name of theirs is a mistake. */
function checkInstance(options: KeelsonOptions): void {
  const check = new OptionChecker('createKeelson');
  const meant = Object.keys(options).filter((key) => nearestName(key, KEYS));
  check.keys(Object.fromEntries(meant.map((key) => [key, true])), KEYS);
  check.function('random', options.random, 'Give one such as `Math.random`.');
  check.function('warn', options.warn, 'Give a function that takes the message.');
  check.done();
}

function checkObserved(policy: unknown, options: unknown): void {
  const check = new OptionChecker('observe');
  if (typeof policy !== 'object' || policy === null || typeof Reflect.get(policy, 'execute') !== 'function') {
    check.problem(
      'policy',
      'to be a policy of cockatiel',
      policy,
      'Give what `retry`, `wrap` and the like have made.',
    );
  }
  if (options === undefined)
    check.problem('options', 'to be given', options, "Name the dependency: `{ name: 'payments' }`.");
  else check.keys(options as object, ['name', 'operation']);
  check.done();
}

function emitWarning(message: string): void {
  process.emitWarning(message, { type: 'KeelsonWarning', code: 'KEELSON_OPTIONS' });
}

const DEFAULT = Symbol.for('keelson.default.v1');

/** The default instance. It lies under a global symbol, so that two copies of the package share their guards. */
export function defaultKeelson(): Keelson {
  const holder = globalThis as { [DEFAULT]?: Keelson };
  holder[DEFAULT] ??= createKeelson();
  return holder[DEFAULT];
}

/** {@link Keelson.guard} of the default instance. */
export function guard<F = never>(
  name: string,
  options?: GuardOptions<F>,
): Guard<unknown extends F ? never : F> {
  return options === undefined ? defaultKeelson().guard(name) : createDefault(name, options);
}

function createDefault<F>(name: string, options: GuardOptions<F>): Guard<unknown extends F ? never : F> {
  return entering(guard, () => defaultKeelson().guard(name, options));
}

/** {@link Keelson.observe} of the default instance. */
export function observe<P extends CockatielPolicy>(policy: P, options: ObserveOptions): P {
  return entering(observe, () => defaultKeelson().observe(policy, options));
}

/** {@link Keelson.registry} of the default instance. */
export function registry(): readonly GuardSnapshot[] {
  return defaultKeelson().registry();
}
