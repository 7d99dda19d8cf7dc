import type { Clock } from '../core/clock.ts';
import { systemClock } from '../core/clock.ts';
import { ConfigError } from '../core/errors.ts';
import { nearestName, OptionChecker } from '../core/options.ts';
import type { Random } from '../core/random.ts';
import { systemRandom } from '../core/random.ts';
import type { Providers } from '../signals/index.ts';
import { Signals } from '../signals/index.ts';
import type { CockatielPolicy } from './cockatiel-view.ts';
import { Guard } from './guard.ts';
import type { ObserveOptions } from './observe.ts';
import { observePolicy } from './observe.ts';
import type { GuardOptions, ResolvedGuard } from './options.ts';
import { sameOptions } from './options.ts';
import type { Seats } from './reporter.ts';
import { resolveGuard } from './resolve.ts';
import type { GuardSnapshot } from './snapshot.ts';

/** Where an instance takes time, chance and telemetry from. */
export interface KeelsonOptions extends Providers {
  /** @defaultValue the clock of the machine */
  readonly clock?: Clock;
  /** @defaultValue `Math.random` */
  readonly random?: Random;
  /** Told of options that do not fit together, and of stores and filters that fail. @defaultValue `process.emitWarning` */
  readonly warn?: (message: string) => void;
}

/** Guards that share their seats and their registry. The top-level `guard` belongs to the default instance. */
export interface Keelson {
  /**
   * The guard of this name: made at the first call, the same one afterwards.
   * @param name the dependency, 1 to 120 characters; it labels everything that the guard reports
   * @param options the policies; leave them out to fetch a guard that exists
   * @throws {ConfigError} `ERR_KEELSON_CONFIG` for options that cannot be used, and for a name that is taken with other options
   */
  guard(name: string, options?: GuardOptions): Guard;
  /**
   * Gives a policy of cockatiel's (3 or 4; single or wrapped) the spans and metrics of a guard, without changing what it does.
   * @returns a stand-in of the same type, to be used in place of `policy`
   * @throws {ConfigError} `ERR_KEELSON_CONFIG` for a name that cannot be used or is taken
   */
  observe<P extends CockatielPolicy>(policy: P, options: ObserveOptions): P;
  /** Every guard of the instance, in the order in which they were made. */
  guards(): readonly Guard[];
  /** A snapshot of every guard of the instance. */
  registry(): readonly GuardSnapshot[];
  /** What new guards of this instance are built with. */
  readonly seats: Seats;
}

/** Makes an instance of its own, apart from the default one. @throws {ConfigError} `ERR_KEELSON_CONFIG` for options that are misspelt */
export function createKeelson(options: KeelsonOptions = {}): Keelson {
  checkInstance(options);
  const { clock = systemClock, random = systemRandom, warn = emitWarning, ...providers } = options;
  const seats: Seats = { clock, random, warn, signals: new Signals(providers) };
  const registry = new Map<string, { readonly guard: Guard; readonly options: ResolvedGuard }>();
  const observed = new Map<string, { readonly policy: CockatielPolicy; readonly standIn: CockatielPolicy }>();

  return {
    seats,
    guards: () => [...registry.values()].map((entry) => entry.guard),
    registry: () => [...registry.values()].map((entry) => entry.guard.snapshot()),
    guard(name, guardOptions) {
      const known = registry.get(name);
      if (known && guardOptions === undefined) return known.guard;
      const resolved = resolveGuard(name, guardOptions ?? {}, warn);
      if (known && sameOptions(known.options, resolved)) return known.guard;
      if (known) throw nameTaken(name, 'a guard with other options');
      if (observed.has(name)) throw nameTaken(name, 'an observed policy');
      const guard = new Guard(name, resolved, seats);
      registry.set(name, { guard, options: resolved });
      return guard;
    },
    observe(policy, observeOptions) {
      checkObserved(policy, observeOptions);
      const { name } = observeOptions;
      if (registry.has(name)) throw nameTaken(name, 'a guard');
      const known = observed.get(name);
      if (known?.policy === policy) return known.standIn as typeof policy;
      if (known) throw nameTaken(name, 'another observed policy');
      const standIn = observePolicy(policy, observeOptions, seats);
      observed.set(name, { policy, standIn });
      return standIn;
    },
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

function nameTaken(name: string, by: string): ConfigError {
  return new ConfigError(`guard "${name}"`, [
    `The name is taken by ${by}. Make it once and share it, or choose another name.`,
  ]);
}

const DEFAULT = Symbol.for('keelson.default.v1');

/** The default instance. It lies under a global symbol, so that two copies of the package share their guards. */
export function defaultKeelson(): Keelson {
  const holder = globalThis as { [DEFAULT]?: Keelson };
  holder[DEFAULT] ??= createKeelson();
  return holder[DEFAULT];
}

/** {@link Keelson.guard} of the default instance. */
export function guard(name: string, options?: GuardOptions): Guard {
  return defaultKeelson().guard(name, options);
}

/** {@link Keelson.observe} of the default instance. */
export function observe<P extends CockatielPolicy>(policy: P, options: ObserveOptions): P {
  return defaultKeelson().observe(policy, options);
}

/** {@link Keelson.registry} of the default instance. */
export function registry(): readonly GuardSnapshot[] {
  return defaultKeelson().registry();
}
