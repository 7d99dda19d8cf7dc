/** What the model knows of a breaker. */
export interface BreakerRules {
  /** How a closed circuit opens: failures in a row, or a share of failures among the last so many calls. */
  readonly rule:
    | { readonly failures: number }
    | { readonly failureRate: number; readonly window: number; readonly minimumCalls: number };
  readonly successes: number;
  readonly openFor: number;
  readonly openFactor: number;
  readonly maxOpenFor: number;
}

/** How the run of a function ends for the breaker; an `answer` is an error that does not count. */
export type RunEnd = 'success' | 'failure' | 'answer' | 'neutral';

type State = 'closed' | 'open' | 'half_open' | 'forced_open' | 'disabled';

/** A breaker in the most obvious way: it remembers every run with the period that it began in, and counts anew each time. */
export class BreakerModel {
  now = 0;
  state: State = 'closed';
  openUntil = 0;
  readonly transitions: string[] = [];
  readonly #rules: BreakerRules;
  /** Each state, and each round of trials, is a period of its own. */
  #period = 0;
  #openings = 0;
  #giveUpAt = 0;
  /** What runs, or ran, and in which period it began. */
  readonly #periods: Map<number, number> = new Map<number, number>();
  /** How the runs of this period ended, in that order. */
  #results: { id: number; end: RunEnd }[] = [];

  constructor(rules: BreakerRules) {
    this.#rules = rules;
  }

  /** @returns why the call is refused, and when to come again; `undefined` where it runs */
  call(id: number): string | undefined {
    if (this.state === 'forced_open') return 'forced_open undefined';
    if (this.state === 'open') {
      if (this.now < this.openUntil) return `open ${this.openUntil - this.now}`;
      this.#enter('half_open');
    } else if (this.state === 'half_open' && this.#seatsTaken() >= this.#rules.successes) {
      if (this.now < this.#giveUpAt) return `half_open ${this.#giveUpAt - this.now}`;
      this.#newPeriod();
    }
    if (this.state === 'half_open') this.#giveUpAt = this.now + this.#rules.openFor;
    this.#periods.set(id, this.#period);
    return undefined;
  }

  finish(id: number, end: RunEnd): void {
    if (this.#periods.get(id) !== this.#period) return;
    this.#results.push({ id, end });
    if (this.state === 'closed' && this.#isTripped()) this.#open(1);
    else if (this.state !== 'half_open') return;
    else if (end === 'failure') this.#open(this.#openings + 1);
    else if (this.#succeeded() >= this.#rules.successes) this.#enter('closed');
  }

  force(state: 'forced_open' | 'disabled' | 'closed'): void {
    this.#enter(state);
  }

  #succeeded(): number {
    return this.#results.filter(({ end }) => end === 'success' || end === 'answer').length;
  }

  /** Trials that run, and those that were answered. */
  #seatsTaken(): number {
    const begun = [...this.#periods.values()].filter((period) => period === this.#period).length;
    return begun - this.#results.filter(({ end }) => end === 'neutral').length;
  }

  #isTripped(): boolean {
    const { rule } = this.#rules;
    const counted = this.#results.filter(({ end }) => end === 'success' || end === 'failure');
    const isFailure = ({ end }: { end: RunEnd }): boolean => end === 'failure';
    if ('failures' in rule) {
      const last = counted.slice(-rule.failures);
      return last.length === rule.failures && last.every(isFailure);
    }
    const last = counted.slice(-rule.window);
    return (
      last.length >= rule.minimumCalls && last.filter(isFailure).length / last.length >= rule.failureRate
    );
  }

  #open(openings: number): void {
    const { openFor, openFactor, maxOpenFor } = this.#rules;
    this.#openings = openings;
    let openTime = openFor;
    for (let again = 1; again < openings; again += 1) openTime *= openFactor;
    this.openUntil = this.now + Math.min(openTime, Math.max(openFor, maxOpenFor));
    this.#enter('open');
  }

  #enter(state: State): void {
    if (this.state !== state) this.transitions.push(`${this.state}/${state}`);
    this.state = state;
    this.#newPeriod();
  }

  #newPeriod(): void {
    this.#period += 1;
    this.#results = [];
  }
}
