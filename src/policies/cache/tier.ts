import { TimeoutError } from '../../core/errors.ts';
import type { WarnAbout } from '../../core/filter.ts';
import type { Clock } from '../../core/time/clock.ts';
import { RemoteGate } from '../../storage/index.ts';
import type { SharedValue } from './tier-text.ts';
import { open, seal } from './tier-text.ts';

/** What a tier keeps under a key. */
export interface TierEntry {
  readonly text: string;
  /** Milliseconds for which the tier will still keep it, by the tier's own clock. */
  readonly remainingMs: number;
}

/** A store of text that processes share. It may fail and be slow: the cache bounds, counts and survives that. */
export interface CacheTier {
  /** @returns `undefined` where there is nothing under the key */
  get(key: string): PromiseLike<TierEntry | undefined>;
  /** @param keepMs milliseconds after which the tier forgets the text: a whole number of at least 1 */
  set(key: string, text: string, keepMs: number): PromiseLike<void>;
  delete(key: string): PromiseLike<void>;
}

/** Is told how the second tier does. */
export interface TierListener {
  /** @param what the tier failed or was late, or one value could not be converted */
  failed(error: unknown, what: 'tier' | 'value'): void;
  answered(): void;
  /** Takes the warning of a filter that gives a promise. */
  warn?: WarnAbout;
}

/** The second tier behind its timeout. Nothing here ever rejects: failures go to the listener. */
export class TierGate {
  readonly #tier: () => CacheTier;
  readonly #clock: Clock;
  readonly #gate: RemoteGate;
  readonly #listener: TierListener;

  /** @param tier gives the tier, which may be another object for the same store at the next operation */
  constructor(tier: () => CacheTier, timeoutMs: number, clock: Clock, listener: TierListener) {
    this.#tier = tier;
    this.#clock = clock;
    this.#listener = listener;
    this.#gate = new RemoteGate({
      timeoutMs,
      clock,
      late: () => new TimeoutError('attempt', timeoutMs),
      listener: {
        failed: (error) => listener.failed(error, 'tier'),
        answered: () => listener.answered(),
      },
    });
  }

  /** @returns `undefined` where the tier has nothing, is down, slow or left alone, or holds what cannot be read */
  async read(key: string): Promise<SharedValue | undefined> {
    if (this.#isResting()) return undefined;
    const found = await this.#attempt(() => this.#tier().get(key));
    return found === undefined ? undefined : this.#convert(() => open(found));
  }

  /**
   * Keeps a value for `keepMs` milliseconds. One that would come back as another is a failure; an older one under the key is removed then, since
   * it would speak for the newer one.
   */
  async write(key: string, value: unknown, freshMs: number, keepMs: number): Promise<void> {
    const whole = Math.ceil(keepMs);
    if (whole < 1 || this.#isResting()) return;
    const text = this.#convert(() => seal(value, freshMs, whole));
    await (text === undefined ? this.remove(key) : this.#attempt(() => this.#tier().set(key, text, whole)));
  }

  /** Removes a value; asks the tier even where it is left alone. */
  async remove(key: string): Promise<void> {
    await this.#attempt(() => this.#tier().delete(key));
  }

  #isResting(): boolean {
    return this.#gate.restLeftMs(this.#clock.now()) > 0;
  }

  async #attempt<T>(operation: () => PromiseLike<T>): Promise<T | undefined> {
    try {
      return await this.#gate.ask(operation);
    } catch {
      return undefined;
    }
  }

  /** One value that cannot be converted says nothing about the tier: it goes on. */
  #convert<T>(conversion: () => T): T | undefined {
    try {
      return conversion();
    } catch (error) {
      this.#valueFailed(error);
      return undefined;
    }
  }

  #valueFailed(error: unknown): void {
    try {
      this.#listener.failed(error, 'value');
    } catch {
      // The call must not suffer from whoever listens; the failure is counted before they are told.
    }
  }
}
