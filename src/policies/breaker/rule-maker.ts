import { errorLine } from '../../core/error-line.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { ResolvedBreaker } from './options.ts';
import type { TripRule } from './rule.ts';
import { CockatielRule, ConsecutiveRule } from './rule.ts';
import { CountWindow, TimeWindow } from './window.ts';

/** What became of a strategy that threw: failures in a row count in its place, or what it threw on does not count. */
export type BrokenStrategy = 'replaced' | 'throws';

/** Hears of a `strategy` that throws: when it is made (`replaced`), or when it is asked (`throws`). */
export type StrategyListener = (error: unknown, strategy: BrokenStrategy) => void;

/** The warning about a strategy that threw. */
export function strategyWarning(error: unknown, strategy: BrokenStrategy): string {
  const consequence = {
    replaced: 'Failures in a row open the circuit in its place.',
    throws: 'What it throws on does not count towards opening the circuit.',
  }[strategy];
  return `\`breaker.strategy\` threw: ${errorLine(error)} ${consequence} Mend the strategy, or leave it out.`;
}

/** Makes the rules of one breaker: each time its circuit closes, it begins with a new one. */
export class RuleMaker {
  readonly #options: ResolvedBreaker;
  readonly #clock: Clock;
  readonly #onStrategyFailure: StrategyListener;
  #broken: BrokenStrategy | undefined;

  constructor(options: ResolvedBreaker, clock: Clock, onStrategyFailure: StrategyListener = () => {}) {
    this.#options = options;
    this.#clock = clock;
    this.#onStrategyFailure = onStrategyFailure;
  }

  /** What became of the strategy, if it has thrown; `undefined` while it works, and without one. */
  get broken(): BrokenStrategy | undefined {
    return this.#broken;
  }

  make(): TripRule {
    const { strategy, window, failures, failureRate, slowCallRate } = this.#options;
    if (strategy) return this.#fromStrategy(strategy);
    if (failureRate === undefined && slowCallRate === undefined) return new ConsecutiveRule(failures);
    return 'calls' in window
      ? new CountWindow(window.calls, this.#options)
      : new TimeWindow(window.ms, this.#options, this.#clock);
  }

  #fromStrategy(strategy: NonNullable<ResolvedBreaker['strategy']>): TripRule {
    try {
      const rule = new CockatielRule(strategy(), (error) => this.#failed(error, 'throws'));
      this.#broken = undefined;
      return rule;
    } catch (error) {
      this.#failed(error, 'replaced');
      return new ConsecutiveRule(this.#options.failures);
    }
  }

  #failed(error: unknown, strategy: BrokenStrategy): void {
    this.#broken = strategy;
    this.#onStrategyFailure(error, strategy);
  }
}
