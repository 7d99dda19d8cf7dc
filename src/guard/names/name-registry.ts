import { ConfigError } from '../../core/errors.ts';
import { GuardCounters } from '../../core/stats.ts';
import type { Seats } from '../call/reporter.ts';
import { Reporter } from '../call/reporter.ts';
import type { Guard } from '../guard.ts';
import type { CockatielPolicy } from '../observe/cockatiel-view.ts';
import type { ObserveOptions } from '../observe/observe.ts';
import { kindsOf, observePolicy } from '../observe/observe.ts';
import type { GuardOptions, ResolvedGuard } from '../options/options.ts';
import { checkName, resolveGuard } from '../options/resolve.ts';
import { PolicyGuard } from '../policy-guard.ts';
import type { CallSite } from './call-site.ts';
import { callSite, placeName } from './call-site.ts';
import type { GuardPlace } from './guard-place.ts';
import { sameOptions, takeNewer } from './same-options.ts';

/** A guard under its name. */
interface NamedGuard {
  readonly guard: Guard;
  readonly place: GuardPlace;
  /** What it was created with last: an `update()` in between is not in it. */
  created: ResolvedGuard;
  /** Whether somebody has given options; until then it was only looked up. */
  isCreated: boolean;
  /** Where it was created with options first. */
  site: CallSite | undefined;
}

/** The policies that are observed under one name. */
interface ObservedName {
  readonly reporter: Reporter;
  readonly standIns: WeakMap<CockatielPolicy, CockatielPolicy>;
  kinds: string;
  readonly site: CallSite | undefined;
}

const REMEDY = 'Create it in one module and import that one, or choose another name.';

/**
 * Who has which name in an instance. A name stands for a service: a module that is evaluated again finds what it has made before, and gives it
 * its newer functions or options.
 */
export class NameRegistry {
  readonly #seats: Seats;
  readonly #guards = new Map<string, NamedGuard>();
  readonly #observed = new Map<string, ObservedName>();
  /** The names of which a warning has told. */
  readonly #warned = new Set<string>();

  constructor(seats: Seats) {
    this.#seats = seats;
  }

  /** Every guard, in the order in which they were made. */
  get guards(): readonly Guard[] {
    return [...this.#guards.values()].map(({ guard }) => guard);
  }

  /** The guard of this name. @throws {ConfigError} for options that cannot be used, and where `strict` forbids to share the name */
  guard(name: string, options: GuardOptions | undefined): Guard {
    const known = this.#guards.get(name);
    return known && options === undefined ? known.guard : this.#create(name, known, options);
  }

  /** A stand-in for a policy of cockatiel's. @throws {ConfigError} for a name that cannot be used, and for that of a strict guard */
  observe<P extends CockatielPolicy>(policy: P, options: ObserveOptions): P {
    const { name } = options;
    checkName(name);
    const known = this.#observed.get(name) ?? this.#addObserved(name, policy);
    const standIn = known.standIns.get(policy);
    if (standIn) return standIn as P;
    const kinds = kindsOf(policy);
    if (kinds !== known.kinds) {
      known.kinds = kinds;
      this.#warnOnce(
        name,
        () =>
          `Policies of different kinds are observed under this name, at ${placeName(known.site)} and at ${placeName(callSite())}. ` +
          'All of their calls count, and the state shown is that of the newest. Choose another name for one of them.',
      );
    }
    const made = observePolicy(policy, options, known.reporter, this.#seats.clock);
    known.standIns.set(policy, made);
    return made;
  }

  /** Disposes every guard, and takes every observed policy out of the metrics. */
  clear(): void {
    for (const { guard } of this.#guards.values()) guard.dispose();
    for (const name of this.#observed.keys()) this.#forgetPolicy(name);
  }

  #create(name: string, known: NamedGuard | undefined, options: GuardOptions | undefined): Guard {
    const misfits: string[] = [];
    const resolved = resolveGuard(name, options ?? {}, (misfit) => misfits.push(misfit));
    if (known && sameOptions(known.created, resolved)) {
      takeNewer(known.created, resolved);
      if (!known.isCreated) this.#firstCreated(known);
      return known.guard;
    }
    if (known) return this.#redefine(known, options ?? {}, resolved);
    const observed = this.#observed.get(name);
    const site = callSite();
    if (observed) this.#takeFromPolicy(name, observed, site, resolved.strict);
    for (const misfit of misfits) this.#warn(misfit);
    return this.#add(name, resolved, { isCreated: options !== undefined, site });
  }

  #add(name: string, resolved: ResolvedGuard, creation: Pick<NamedGuard, 'isCreated' | 'site'>): Guard {
    const place: GuardPlace = {
      options: resolved,
      leave: () => {
        if (this.#guards.get(name)?.place !== place) return;
        this.#guards.delete(name);
        this.#warned.delete(name);
      },
    };
    const guard = new PolicyGuard(name, place, this.#seats);
    this.#guards.set(name, { guard, place, created: resolved, ...creation });
    return guard;
  }

  #addObserved(name: string, policy: CockatielPolicy): ObservedName {
    const site = callSite();
    const guard = this.#guards.get(name);
    if (guard) this.#takeFromGuard(name, guard, site);
    const reporter = new Reporter(name, new GuardCounters([], []), this.#seats);
    const made: ObservedName = { reporter, standIns: new WeakMap(), kinds: kindsOf(policy), site };
    this.#observed.set(name, made);
    return made;
  }

  /** Other options for a guard that exists. One that was only looked up until now has not been created by anybody. */
  #redefine(known: NamedGuard, options: GuardOptions, resolved: ResolvedGuard): Guard {
    const { guard, place, isCreated } = known;
    const created = (): string =>
      `It was created at ${placeName(known.site)}, and with other options at ${placeName(callSite())}.`;
    if (isCreated && (resolved.strict || known.created.strict)) throw refused(guard.name, created());
    guard.update(options);
    known.created = place.options;
    if (isCreated) {
      const now = 'The newer options are in force; its counters and the state of its breaker stay.';
      this.#warnOnce(guard.name, () => `${created()} ${now} ${REMEDY}`);
    } else this.#firstCreated(known);
    return guard;
  }

  #firstCreated(known: NamedGuard): void {
    known.isCreated = true;
    known.site = callSite();
  }

  #takeFromPolicy(
    name: string,
    { site: before }: ObservedName,
    site: CallSite | undefined,
    isStrict: boolean,
  ): void {
    const taken = `A policy is observed under this name at ${placeName(before)}, and a guard is created at ${placeName(site)}.`;
    if (isStrict) throw refused(name, taken);
    this.#forgetPolicy(name);
    const now = 'The guard has the name now; calls through the policy go on without metrics.';
    this.#warnOnce(name, () => `${taken} ${now} Choose another name for one of them.`);
  }

  #takeFromGuard(
    name: string,
    { guard, created, site: before }: NamedGuard,
    site: CallSite | undefined,
  ): void {
    const taken = `A guard is created at ${placeName(before)}, and a policy is observed under its name at ${placeName(site)}.`;
    if (created.strict) throw refused(name, taken);
    guard.dispose();
    const now = 'The policy has the name now; calls through the guard go on without metrics.';
    this.#warnOnce(name, () => `${taken} ${now} Choose another name for one of them.`);
  }

  #forgetPolicy(name: string): void {
    this.#observed.get(name)?.reporter.retire();
    this.#observed.delete(name);
  }

  #warnOnce(name: string, message: () => string): void {
    if (this.#warned.has(name)) return;
    this.#warned.add(name);
    this.#warn(`guard "${name}": ${message()}`);
  }

  #warn(message: string): void {
    this.#seats.signals.safely(() => this.#seats.warn(message));
  }
}

function refused(name: string, what: string): ConfigError {
  return new ConfigError(`guard "${name}"`, [`${what} \`strict: true\` forbids that. ${REMEDY}`]);
}
