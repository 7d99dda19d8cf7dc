import type { AbandonedCounter } from '../core/execution.ts';
import { Execution } from '../core/execution.ts';
import type { Clock } from '../core/time/clock.ts';
import type { DeadlineList } from '../core/time/deadline-node.ts';
import type { Deadlines } from '../core/time/deadlines.ts';
import { deadlinesFor } from '../core/time/deadlines.ts';
import { Rest } from '../core/time/rest.ts';

/** How long a store that failed is left alone: one that hangs would otherwise cost every call its timeout. */
const REST_MS = 1_000;

/** Hears how a store does. What it throws is ignored. */
export interface StoreListener {
  /** The store failed, or its answer came too late. */
  failed(error: unknown): void;
  answered(): void;
}

/** How a {@link RemoteGate} asks its store. */
export interface RemoteGateOptions {
  /** Milliseconds that an answer may take. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Makes the error for an answer that took longer than `timeoutMs`. */
  readonly late: () => unknown;
  /** @defaultValue nobody */
  readonly listener?: StoreListener | undefined;
}

/** One question to a store. */
export interface StoreQuestion {
  /** Aborts when nobody waits for the answer any more. It is made only if it is read. */
  readonly signal: AbortSignal;
}

/**
 * Stands before a store that can be slow or away. It bounds each question, counts failures, reports them, and says how long the store is to be
 * left alone. What happens without an answer is the caller's decision.
 */
export class RemoteGate implements AbandonedCounter {
  /** Questions that were not answered, or not in time. */
  failures = 0;
  /** Questions that still run although their time was over. */
  abandoned = 0;
  /** What the store failed with last. */
  lastError: unknown = undefined;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #timeout: DeadlineList;
  readonly #late: () => unknown;
  readonly #listener: StoreListener | undefined;
  readonly #rest = new Rest(REST_MS);

  constructor({ timeoutMs, clock, late, listener }: RemoteGateOptions) {
    this.#clock = clock;
    this.#deadlines = deadlinesFor(clock);
    this.#timeout = this.#deadlines.list(timeoutMs);
    this.#late = late;
    this.#listener = listener;
  }

  /**
   * @param now the time on the clock
   * @returns milliseconds for which the store is still to be left alone after a failure; 0 if it may be asked
   */
  restLeftMs(now: number): number {
    return this.#rest.leftMs(now);
  }

  /**
   * Asks the store, whether or not it rests.
   * @returns the answer
   * @throws what `question` throws, and the error of `late` if the answer takes too long
   */
  async ask<T>(question: (run: StoreQuestion) => PromiseLike<T> | T): Promise<T> {
    const run = new Execution<T>(this, this.#late);
    this.#deadlines.arm(this.#timeout, run, this.#clock.now());
    try {
      const answer = await run.start(question, run);
      this.#report((listener) => listener.answered());
      return answer;
    } catch (error) {
      this.failures += 1;
      this.lastError = error;
      this.#rest.begin(this.#clock.now());
      this.#report((listener) => listener.failed(error));
      throw error;
    } finally {
      this.#deadlines.disarm(run);
    }
  }

  #report(report: (listener: StoreListener) => void): void {
    try {
      if (this.#listener) report(this.#listener);
    } catch {
      // A question does not suffer from whoever listens; the failure is counted before they hear of it.
    }
  }
}
