import { isThenable } from './execution.ts';
import type { Origin, Outcome, PolicyName, RejectionReason, SuppressionReason } from './outcome.ts';

/** Every state of a circuit breaker, in the order in which tables show them. */
export const BREAKER_STATES = ['closed', 'open', 'half_open', 'forced_open', 'disabled'] as const;

/** The state of a circuit breaker. */
export type BreakerState = (typeof BREAKER_STATES)[number];

/** A circuit breaker changed its state. */
export interface BreakerTransition {
  readonly type: 'breaker.transition';
  readonly from: BreakerState;
  readonly to: BreakerState;
  /** The failure that opened the circuit, if a failed call did. */
  readonly error?: unknown;
  /** The key, where the guard has state for each key. */
  readonly key?: string;
}

/** What happens inside a guard. A plain union: switch on `type`. */
export type CoreEvent =
  | BreakerTransition
  | {
      readonly type: 'retry.scheduled';
      readonly attempt: number;
      readonly delayMs: number;
      readonly error: unknown;
    }
  | {
      readonly type: 'retry.suppressed';
      readonly reason: SuppressionReason;
      readonly error: unknown;
      /** Milliseconds that the server asked for, where that is the reason. */
      readonly retryAfterMs?: number;
    }
  | {
      readonly type: 'rejected';
      readonly policy: PolicyName;
      readonly reason: RejectionReason;
      readonly retryAfterMs: number | undefined;
    }
  /** A function was left behind without ever having asked for its signal. */
  | { readonly type: 'signal.ignored' }
  /** A value stood in for an error that is probably a mistake of the program: told once for each operation and type of error. */
  | { readonly type: 'mistake.hidden'; readonly error: Error }
  | { readonly type: 'timeout'; readonly scope: 'attempt' | 'total'; readonly timeoutMs: number }
  | {
      readonly type: 'call.settled';
      readonly outcome: Outcome;
      readonly origin: Origin;
      readonly attempts: number;
      /** `NaN` for a call that nobody watched when it began: its time was not taken. */
      readonly durationMs: number;
      readonly error: unknown;
    };

/** A {@link CoreEvent} with the guard and the call that it belongs to. */
export type GuardEvent = CoreEvent & {
  readonly guard: string;
  /** Absent where no call caused the event, as for a manual reset. */
  readonly operation?: string;
  readonly requestId?: string;
};

/** Listeners whose failures cannot reach the caller: what a listener throws is counted, and nothing else. */
export class Listeners<E> {
  #listeners: readonly ((event: E) => void)[] = [];
  #failures = 0;

  /** How many listeners there are; emitters build no event for 0. */
  get size(): number {
    return this.#listeners.length;
  }

  /** How often a listener has thrown. */
  get failures(): number {
    return this.#failures;
  }

  /** @returns a function that removes the listener */
  add(listener: (event: E) => void): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  }

  #failed(): void {
    this.#failures += 1;
  }

  emit(event: E): void {
    for (const listener of this.#listeners) {
      try {
        const result: unknown = listener(event);
        if (isThenable(result)) Promise.resolve(result).catch(() => this.#failed());
      } catch {
        this.#failed();
      }
    }
  }
}
