import type { Clock } from '../../core/time/clock.ts';
import type { RuleInput, TripRule } from './rule.ts';

/** When a share of the calls in a window opens the circuit. */
export interface RateLimits {
  /** Share of failed calls, above 0 to 1; `undefined`: failures do not count. */
  readonly failureRate: number | undefined;
  /** Share of slow calls, above 0 to 1; `undefined`: slowness does not count. */
  readonly slowCallRate: number | undefined;
  /** Fewer calls than this say nothing. */
  readonly minimumCalls: number;
}

/** What a window counts. */
interface Counts {
  calls: number;
  failures: number;
  slow: number;
}

function exceeds({ calls, failures, slow }: Counts, limits: RateLimits): boolean {
  if (calls < limits.minimumCalls) return false;
  const failing = limits.failureRate !== undefined && failures / calls >= limits.failureRate;
  return failing || (limits.slowCallRate !== undefined && slow / calls >= limits.slowCallRate);
}

/** The last calls, up to the size of the window, each as two bits in a ring. */
export class CountWindow implements TripRule {
  readonly #limits: RateLimits;
  readonly #ring: Uint8Array;
  readonly #counts: Counts = { calls: 0, failures: 0, slow: 0 };
  #next = 0;

  /** @param size calls, at least 1 */
  constructor(size: number, limits: RateLimits) {
    this.#limits = limits;
    this.#ring = new Uint8Array(size);
  }

  record({ failed, slow }: RuleInput): boolean {
    const counts = this.#counts;
    if (counts.calls === this.#ring.length) this.#forget(this.#ring[this.#next] ?? 0);
    this.#ring[this.#next] = (failed ? 1 : 0) | (slow ? 2 : 0);
    this.#next = (this.#next + 1) % this.#ring.length;
    counts.calls += 1;
    if (failed) counts.failures += 1;
    if (slow) counts.slow += 1;
    return exceeds(counts, this.#limits);
  }

  amendFailure(): boolean {
    // Which of the calls it was matters only for when it is forgotten: the latest one that has not failed stands for it.
    for (let back = 1; back <= this.#counts.calls; back += 1) {
      const index = (this.#next - back + this.#ring.length) % this.#ring.length;
      const bits = this.#ring[index] ?? 0;
      if ((bits & 1) !== 0) continue;
      this.#ring[index] = bits | 1;
      this.#counts.failures += 1;
      break;
    }
    return exceeds(this.#counts, this.#limits);
  }

  save(): unknown {
    const { calls } = this.#counts;
    const oldest = (this.#next - calls + this.#ring.length) % this.#ring.length;
    return Array.from({ length: calls }, (_, index) => this.#ring[(oldest + index) % this.#ring.length]);
  }

  restore(saved: unknown): void {
    if (!Array.isArray(saved)) return;
    for (const bits of saved.slice(-this.#ring.length)) {
      if (typeof bits === 'number') this.record({ failed: (bits & 1) !== 0, slow: (bits & 2) !== 0 });
    }
  }

  #forget(bits: number): void {
    this.#counts.calls -= 1;
    if ((bits & 1) !== 0) this.#counts.failures -= 1;
    if ((bits & 2) !== 0) this.#counts.slow -= 1;
  }
}

const SLICES = 10;

/**
 * The calls of the last so many milliseconds, in ten slices: a result is forgotten when the window has passed over its slice, whether or
 * not anything was called meanwhile.
 */
export class TimeWindow implements TripRule {
  readonly #limits: RateLimits;
  readonly #sliceMs: number;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #slices: Counts[] = Array.from({ length: SLICES }, () => ({ calls: 0, failures: 0, slow: 0 }));
  readonly #total: Counts = { calls: 0, failures: 0, slow: 0 };
  /** The number of the newest slice since the clock's zero. */
  #newest = 0;

  /** @param durationMs milliseconds, at least 10 */
  constructor(durationMs: number, limits: RateLimits, clock: Pick<Clock, 'now'>) {
    this.#limits = limits;
    this.#clock = clock;
    this.#sliceMs = durationMs / SLICES;
  }

  record({ failed, slow }: RuleInput): boolean {
    const slice = this.#advance();
    for (const counts of [slice, this.#total]) {
      counts.calls += 1;
      if (failed) counts.failures += 1;
      if (slow) counts.slow += 1;
    }
    return exceeds(this.#total, this.#limits);
  }

  amendFailure(): boolean {
    const slice = this.#advance();
    slice.failures += 1;
    this.#total.failures += 1;
    return exceeds(this.#total, this.#limits);
  }

  /** Nothing: the window is over before a restart is. */
  save(): unknown {
    return null;
  }

  restore(): void {}

  /** Forgets what the window has passed over. @returns the slice of this moment; a clock that went backwards stays in the newest one */
  #advance(): Counts {
    const number = Math.floor(this.#clock.now() / this.#sliceMs);
    const passed = Math.min(SLICES, Math.max(0, number - this.#newest));
    this.#newest = Math.max(this.#newest, number);
    for (let back = 0; back < passed; back += 1) this.#empty(this.#slice(this.#newest - back));
    return this.#slice(this.#newest);
  }

  #slice(number: number): Counts {
    const slice = this.#slices[number % SLICES];
    if (!slice) throw new RangeError(`There is no slice ${number}.`);
    return slice;
  }

  #empty(slice: Counts): void {
    this.#total.calls -= slice.calls;
    this.#total.failures -= slice.failures;
    this.#total.slow -= slice.slow;
    slice.calls = 0;
    slice.failures = 0;
    slice.slow = 0;
  }
}
