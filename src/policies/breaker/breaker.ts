import type { IBreaker } from 'cockatiel';
import { CircuitState as CockatielState, ConsecutiveBreaker } from 'cockatiel';
import type { Clock } from '../../core/clock.ts';
import { formatDuration } from '../../core/duration.ts';
import type { ErrorSource } from '../../core/errors.ts';
import { isRejection, RejectedError } from '../../core/errors.ts';
import type { BreakerState } from '../../core/events.ts';
import type { ResolvedBreaker } from './options.ts';
import type { Admission, CircuitInput, CircuitState } from './state.ts';
import { admission, transition } from './state.ts';

/** How a call that the breaker let through ended. `neutral` says nothing about the dependency. */
export type BreakerResult = 'success' | 'failure' | 'neutral';

/** A circuit breaker: the pure state machine, with time, the rule for opening, and somebody to tell. */
export class Breaker {
  readonly #options: ResolvedBreaker;
  readonly #clock: Clock;
  readonly #source: ErrorSource;
  readonly #onTransition: (from: BreakerState, to: BreakerState) => void;
  #strategy: IBreaker;
  #state: CircuitState = { kind: 'closed', epoch: 0 };

  constructor(
    options: ResolvedBreaker,
    clock: Clock,
    onTransition: (from: BreakerState, to: BreakerState) => void,
    source: ErrorSource = {},
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#source = { ...source, policy: 'breaker' };
    this.#onTransition = onTransition;
    this.#strategy = this.#newStrategy();
  }

  get state(): BreakerState {
    return this.#state.kind;
  }

  /** Milliseconds until the open circuit lets a trial through; `undefined` in any other state. */
  get retryAfterMs(): number | undefined {
    return this.#state.kind === 'open' ? Math.max(0, this.#state.untilMs - this.#clock.now()) : undefined;
  }

  /**
   * Asks whether a call may go on, without taking anything: for the time before a wait.
   * @returns the error for a call that may not
   */
  refusal(now: number): RejectedError | undefined {
    if (this.#state.kind === 'closed') return undefined;
    const answer = admission(this.#state, this.#options, now);
    return answer.admitted ? undefined : this.#refused(answer);
  }

  /**
   * Takes the permit for one run of the function; {@link report} gives it back.
   * @returns the permit, or the error for a call that may not run
   */
  acquire(now: number): number | RejectedError {
    if (this.#state.kind === 'closed') return this.#state.epoch;
    const answer = admission(this.#state, this.#options, now);
    if (!answer.admitted) return this.#refused(answer);
    this.#apply({ type: 'admit' }, now);
    return this.#state.epoch;
  }

  /** Tells how the run with this permit ended. */
  report(permit: number, result: BreakerResult): void {
    const state = this.#state;
    if (permit !== state.epoch) return;
    if (state.kind === 'closed') this.#reportClosed(permit, result);
    else if (state.kind === 'half_open') this.#apply({ type: result, epoch: permit }, this.#clock.now());
  }

  /** Whether `error` counts against the dependency. Rejections of guards never do. A filter that throws counts as a yes. */
  isFailure(error: unknown): boolean {
    if (isRejection(error)) return false;
    if (!this.#options.failureIf) return true;
    try {
      return this.#options.failureIf(error);
    } catch {
      return true;
    }
  }

  /** Opens the circuit until {@link reset}. */
  forceOpen(): void {
    this.#apply({ type: 'force_open' }, this.#clock.now());
  }

  /** Lets every call through, whatever happens, until {@link reset}. */
  disable(): void {
    this.#apply({ type: 'disable' }, this.#clock.now());
  }

  /** Closes the circuit and forgets what it has counted. */
  reset(): void {
    this.#apply({ type: 'reset' }, this.#clock.now());
    this.#strategy = this.#newStrategy();
  }

  /** A strategy of the user's that throws neither opens the circuit nor reaches the caller. */
  #reportClosed(permit: number, result: BreakerResult): void {
    if (result === 'neutral') return;
    let trips = false;
    try {
      if (result === 'success') this.#strategy.success(CockatielState.Closed);
      else trips = this.#strategy.failure(CockatielState.Closed);
    } catch {
      return;
    }
    if (trips) this.#apply({ type: 'trip', epoch: permit }, this.#clock.now());
  }

  #apply(input: CircuitInput, now: number): void {
    const from = this.#state.kind;
    this.#state = transition(this.#state, input, this.#options, now);
    const to = this.#state.kind;
    if (from === to) return;
    if (to === 'closed') this.#strategy = this.#newStrategy();
    this.#onTransition(from, to);
  }

  #newStrategy(): IBreaker {
    return this.#options.strategy?.() ?? new ConsecutiveBreaker(this.#options.failures);
  }

  #refused(answer: Extract<Admission, { admitted: false }>): RejectedError {
    const { reason, retryAfterMs } = answer;
    const message = {
      open: `The circuit is open; the next trial is in ${formatDuration(retryAfterMs ?? 0)}.`,
      half_open: 'The circuit is half-open and all of its trials are running.',
      forced_open: 'The circuit is held open.',
    }[reason];
    const code = reason === 'forced_open' ? 'ERR_KEELSON_BREAKER_FORCED_OPEN' : 'ERR_KEELSON_BREAKER_OPEN';
    const hint =
      reason === 'forced_open'
        ? 'Somebody opened it by hand: `guard.breaker.reset()` closes it.'
        : 'The dependency failed repeatedly. Look at its errors, or retry after `retryAfterMs`.';
    return new RejectedError(code, reason, message, { source: this.#source, hint, retryAfterMs });
  }
}
