import type { StoreWatch } from '../../core/store-watch.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { RemoteGate } from '../../storage/index.ts';
import type { LimiterStore, Taken } from './limiter-store.ts';
import type { ResolvedRateLimit } from './options.ts';
import { checkedAnswer } from './store-answer.ts';
import { gateOf } from './without-store.ts';

/** The store of one shared limit: bounds its questions in time, checks its answers, and counts its failures. */
export class AskedStore {
  /** Whole tokens that were left at the last answer. */
  available: number;
  readonly #options: ResolvedRateLimit;
  readonly #store: LimiterStore;
  readonly #key: string;
  readonly #clock: Clock;
  readonly #gate: RemoteGate;

  constructor(
    options: ResolvedRateLimit,
    store: LimiterStore,
    key: string,
    clock: Clock,
    watch: StoreWatch | undefined,
  ) {
    this.available = options.burst;
    this.#options = options;
    this.#store = store;
    this.#key = key;
    this.#clock = clock;
    this.#gate = gateOf(options, clock, watch);
  }

  /** Questions that the store did not answer, not in time, or with a malformed answer. */
  get failures(): number {
    return this.#gate.failures;
  }

  /** What the store failed with last. */
  get lastError(): unknown {
    return this.#gate.lastError;
  }

  /** @returns milliseconds for which the store is still to be left alone after a failure; 0 if it may be asked */
  restLeftMs(now: number): number {
    return this.#gate.restLeftMs(now);
  }

  /**
   * Takes a token, whether or not the store rests.
   * @throws what the store throws, and {@link KeelsonError} for an answer that is late or malformed
   */
  async take(): Promise<Taken> {
    const store = this.#storeNow();
    const options = this.#options;
    const taken = await this.#gate.ask(async ({ signal }) =>
      options.algorithm === 'window' && store.takeFromWindow
        ? checkedAnswer(await store.takeFromWindow(this.#key, options, signal), 'takeFromWindow')
        : checkedAnswer(await store.take(this.#key, options, signal), 'take'),
    );
    this.available = taken.remaining;
    return taken;
  }

  /**
   * Gives a token of a window back. A failure costs that token until it is a period old; the gate counts it.
   * @param at the time of the grant: {@link Taken.at}
   * @returns whether the store has the token again
   */
  async giveBack(at: number): Promise<boolean> {
    const store = this.#storeNow();
    if (!store.giveBack || this.restLeftMs(this.#clock.now()) > 0) return false;
    try {
      await this.#gate.ask(({ signal }) => store.giveBack?.(this.#key, this.#options, at, signal));
      return true;
    } catch {
      return false;
    }
  }

  /** The options may have been given a newer object for the same store. */
  #storeNow(): LimiterStore {
    return this.#options.store ?? this.#store;
  }
}
