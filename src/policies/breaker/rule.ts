import type { IBreaker } from 'cockatiel';
import { CircuitState as CockatielState } from 'cockatiel';

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

/** Opens after so many failures in a row. */
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

  constructor(strategy: IBreaker) {
    this.#strategy = strategy;
  }

  record({ failed }: RuleInput): boolean {
    try {
      if (failed) return this.#strategy.failure(CockatielState.Closed);
      this.#strategy.success(CockatielState.Closed);
    } catch {
      return false;
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
