import type { IBreaker } from 'cockatiel';
import { CircuitState as CockatielState } from 'cockatiel';
import { refusePromise } from '../../core/filter.ts';

/** One result as a rule sees it. */
export interface RuleInput {
  readonly failed: boolean;
  readonly slow: boolean;
}

/** Decides when a closed circuit opens. Each time the circuit closes it starts with a new rule. */
export interface TripRule {
  /** @returns whether the circuit opens now */
  record(input: RuleInput): boolean;
  /** A call that was counted while it ran, since it was slow by then, has failed. @returns whether the circuit opens now */
  amendFailure(): boolean;
  /** What is worth keeping across a restart: plain JSON. */
  save(): unknown;
  /** Takes back what {@link save} gave; anything else is ignored. */
  restore(saved: unknown): void;
}

/** Opens when the number of failures in a row reaches a limit. */
export class ConsecutiveRule implements TripRule {
  readonly #limit: number;
  #failures = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  record({ failed }: RuleInput): boolean {
    this.#failures = failed ? this.#failures + 1 : 0;
    return this.#failures >= this.#limit;
  }

  amendFailure(): boolean {
    this.#failures += 1;
    return this.#failures >= this.#limit;
  }

  save(): unknown {
    return this.#failures;
  }

  restore(saved: unknown): void {
    if (typeof saved === 'number' && Number.isInteger(saved) && saved >= 0)
      this.#failures = Math.min(saved, this.#limit - 1);
  }
}

/** A breaker strategy of cockatiel's as a rule. What it throws neither opens the circuit nor reaches the caller. */
export class CockatielRule implements TripRule {
  readonly #strategy: IBreaker;
  readonly #onFailure: (error: unknown) => void;

  /** @param onFailure hears of what the strategy throws */
  constructor(strategy: IBreaker, onFailure: (error: unknown) => void) {
    this.#strategy = strategy;
    this.#onFailure = onFailure;
  }

  record({ failed }: RuleInput): boolean {
    try {
      if (failed) {
        const trips = this.#strategy.failure(CockatielState.Closed);
        refusePromise(trips, 'breaker.strategy');
        return trips;
      }
      this.#strategy.success(CockatielState.Closed);
    } catch (error) {
      this.#onFailure(error);
    }
    return false;
  }

  amendFailure(): boolean {
    return this.record({ failed: true, slow: false });
  }

  save(): unknown {
    return this.#strategy.state;
  }

  restore(saved: unknown): void {
    this.#strategy.state = saved;
  }
}
