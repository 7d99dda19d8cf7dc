import type { BreakerState } from '../core/events.ts';
import { BREAKER_STATES } from '../core/events.ts';
import { tally } from '../core/stats.ts';

/** A guard of one key, as those who make room for others see it. */
interface KeyedGuard {
  /** Whether something would be lost or let through if its state were forgotten now. */
  readonly isBusy: boolean;
  /** Its state is forgotten: whoever holds the guard has that of its key from then on. */
  forget(): void;
}

/** Keys that are looked at for one that can go. Busy ones are in use: they count as used last, and the next look begins behind them. */
const MOST_LOOKS = 1_000;

/** The guards of the keys that have state, in the order of their last use. */
export class KeyedGuards<G extends KeyedGuard> {
  /** Keys that have state at most. */
  max: number;
  readonly #guards = new Map<string, G>();
  #newest: G | undefined;

  /** @param max 1 or more */
  constructor(max: number) {
    this.max = max;
  }

  get size(): number {
    return this.#guards.size;
  }

  get values(): Iterable<G> {
    return this.#guards.values();
  }

  /** The guard of `key`, which is the last one used from now on. */
  use(key: string): G | undefined {
    const guard = this.#guards.get(key);
    if (guard && guard !== this.#newest) this.#putLast(key, guard);
    return guard;
  }

  /** Keeps the guard of a key that has none. */
  add(key: string, guard: G): void {
    this.#putLast(key, guard);
  }

  /** @returns whether the guard was that of its key */
  delete(key: string, guard: G): boolean {
    return this.#guards.get(key) === guard && this.#guards.delete(key);
  }

  /**
   * Makes room for one more key: forgets the least recently used ones that are idle.
   * @returns whether there is room
   */
  makeRoom(): boolean {
    let looks = Math.min(MOST_LOOKS, this.#guards.size);
    for (const [key, guard] of this.#guards) {
      if (this.#guards.size < this.max || looks === 0) break;
      looks -= 1;
      if (guard.isBusy) this.#putLast(key, guard);
      else {
        this.#guards.delete(key);
        guard.forget();
      }
    }
    return this.#guards.size < this.max;
  }

  #putLast(key: string, guard: G): void {
    this.#guards.delete(key);
    this.#guards.set(key, guard);
    this.#newest = guard;
  }
}

/** Counts keyed guards by the state of their breaker; one without a breaker counts as `disabled`. */
export function byState(
  guards: Iterable<{ readonly breaker: { readonly state: BreakerState } | undefined }>,
): Readonly<Record<BreakerState, number>> {
  const counts = tally(BREAKER_STATES);
  for (const guard of guards) counts[guard.breaker?.state ?? 'disabled'] += 1;
  return counts;
}
