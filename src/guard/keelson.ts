import type { Clock } from '../core/clock.ts';
import { systemClock } from '../core/clock.ts';
import { ConfigError } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import { systemRandom } from '../core/random.ts';
import type { Providers } from '../signals/index.ts';
import { Signals } from '../signals/index.ts';
import { Guard } from './guard.ts';
import type { GuardOptions, ResolvedGuard } from './options.ts';
import { resolveGuard, sameOptions } from './options.ts';
import type { Seats } from './reporter.ts';

/** Where an instance takes time, chance and telemetry from. */
export interface KeelsonOptions extends Providers {
  /** @defaultValue the clock of the machine */
  readonly clock?: Clock;
  /** @defaultValue `Math.random` */
  readonly random?: Random;
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
  /** Every guard of the instance, in the order in which they were made. */
  guards(): readonly Guard[];
  /** What new guards of this instance are built with. */
  readonly seats: Seats;
}

/** Makes an instance of its own, apart from the default one. */
export function createKeelson(options: KeelsonOptions = {}): Keelson {
  const { clock = systemClock, random = systemRandom, ...providers } = options;
  const seats: Seats = { clock, random, signals: new Signals(providers) };
  const registry = new Map<string, { readonly guard: Guard; readonly options: ResolvedGuard }>();

  return {
    seats,
    guards: () => [...registry.values()].map((entry) => entry.guard),
    guard(name, guardOptions) {
      const known = registry.get(name);
      if (known && guardOptions === undefined) return known.guard;
      const resolved = resolveGuard(name, guardOptions ?? {});
      if (known) {
        if (sameOptions(known.options, resolved)) return known.guard;
        throw new ConfigError(`guard "${name}"`, [
          'The name is taken by a guard with other options. Make the guard once and share it, or choose another name.',
        ]);
      }
      const guard = new Guard(name, resolved, seats);
      registry.set(name, { guard, options: resolved });
      return guard;
    },
  };
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
