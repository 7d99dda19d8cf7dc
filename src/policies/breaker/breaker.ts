import { AsyncResource } from 'node:async_hooks';
import type { ErrorSource } from '../../core/errors.ts';
import { isLoopDelay, ofGuard, RejectedError } from '../../core/errors.ts';
import type { BreakerState } from '../../core/events.ts';
import type { WarnAbout } from '../../core/filter.ts';
import { answerOf } from '../../core/filter.ts';
import type { Random } from '../../core/random.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { DeadlineList } from '../../core/time/deadline-node.ts';
import { DeadlineNode } from '../../core/time/deadline-node.ts';
import type { Deadlines } from '../../core/time/deadlines.ts';
import { deadlinesFor } from '../../core/time/deadlines.ts';
import { formatDuration } from '../../core/time/duration.ts';
import { isRefusal } from '../cockatiel-rejection.ts';
import { DecisionQueue } from './decision-queue.ts';
import type { ResolvedBreaker } from './options.ts';
import type { BrokenStrategy, StrategyListener } from './rule-maker.ts';
import { RuleMaker } from './rule-maker.ts';
import type { TripRule } from './rule.ts';
import type { SavedBreaker } from './saved.ts';
import { parseSaved, SAVED_VERSION } from './saved.ts';
import type { Admission, CircuitInput, CircuitRules, CircuitState } from './state.ts';
import { admission, transition } from './state.ts';

/**
 * How a call that the breaker let through ended. `answer`: an error that does not count against the dependency, and shows that it is there.
 * `neutral` says nothing about it.
 */
export type BreakerResult = 'success' | 'failure' | 'answer' | 'neutral';

/** What a breaker is built with. */
export interface BreakerSeats {
  readonly clock: Clock;
  readonly random: Random;
  readonly onTransition: (from: BreakerState, to: BreakerState) => void;
  readonly onStrategyFailure?: StrategyListener;
  /** Takes the warning of a filter that gives a promise. */
  readonly warn?: WarnAbout;
  readonly source?: ErrorSource;
  /** A state to begin with, as {@link Breaker.toJSON} gave it; taking it up is no transition. */
  readonly saved?: SavedBreaker;
}

/** The permit of a call that ran although the circuit would have refused it: the breaker is in shadow mode. */
const SHADOWED = -1;

const FAILURE_IF = {
  name: 'breaker.failureIf',
  otherwise: true,
  consequence: 'Until then every error counts.',
} as const;

/** A call that may turn out slow while it runs. */
export class RunningCall extends DeadlineNode {
  /** Whether it has been counted as slow. */
  isSlow = false;
  readonly #onSlow: () => void;

  constructor(onSlow: () => void) {
    super();
    this.#onSlow = onSlow;
  }

  expire(): void {
    this.isSlow = true;
    this.#onSlow();
  }
}

/** A circuit breaker: the pure state machine, with time, the rule for opening, and somebody to tell. */
export class Breaker {
  readonly #options: ResolvedBreaker;
  readonly #rules: CircuitRules;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #source: ErrorSource;
  #onTransition: (from: BreakerState, to: BreakerState) => void;
  readonly #warn: WarnAbout | undefined;
  readonly #ruleMaker: RuleMaker;
  readonly #deadlines: Deadlines;
  readonly #slowCalls: DeadlineList | undefined;
  readonly #decisions: DecisionQueue;
  #rule: TripRule;
  #state: CircuitState = { kind: 'closed', epoch: 0 };
  #rampUntil = Number.NEGATIVE_INFINITY;
  #shadowRejections = 0;

  constructor(
    options: ResolvedBreaker,
    { clock, random, onTransition, onStrategyFailure, warn, source = {}, saved }: BreakerSeats,
  ) {
    this.#warn = warn;
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#source = { ...source, policy: 'breaker' };
    this.#onTransition = () => {};
    this.#ruleMaker = new RuleMaker(options, clock, onStrategyFailure);
    this.#rules = { ...options, openTime: (openings) => this.#openTime(openings) };
    this.#deadlines = deadlinesFor(clock);
    if (options.slowCallMs !== undefined) this.#slowCalls = this.#deadlines.list(options.slowCallMs);
    this.#decisions = new DecisionQueue(clock, options.halfOpenWaitMs);
    this.#rule = this.#ruleMaker.make();
    if (saved) this.restore(saved);
    this.#onTransition = onTransition;
  }

  get state(): BreakerState {
    return this.#state.kind;
  }

  /** Milliseconds until the open circuit lets a trial through; `undefined` in any other state. */
  get retryAfterMs(): number | undefined {
    return this.#state.kind === 'open' ? Math.max(0, this.#state.untilMs - this.#clock.now()) : undefined;
  }

  /** Calls that shadow mode let through although the circuit would have refused them. */
  get shadowRejections(): number {
    return this.#shadowRejections;
  }

  /** What became of the `strategy`, if it has thrown; `undefined` while it works, and without one. */
  get brokenStrategy(): BrokenStrategy | undefined {
    return this.#ruleMaker.broken;
  }

  /** Calls that wait for the decision of the trials that are running. */
  get decisions(): DecisionQueue {
    return this.#decisions;
  }

  /**
   * Asks whether a call may go on, without taking anything: for the time before a wait.
   * @returns the error for a call that may not
   */
  refusal(now: number): RejectedError | undefined {
    if (now >= this.#rampUntil) this.#rampUntil = Number.NEGATIVE_INFINITY;
    if (this.permitAtRest() !== undefined || this.#options.shadow) return undefined;
    const answer = this.#admission(now);
    return answer.admitted ? undefined : this.#refused(answer);
  }

  /**
   * The permit for one run of the function while the circuit is closed and lets every call through.
   * @returns `undefined` in any other state: then {@link refusal} and {@link acquire} decide
   */
  permitAtRest(): number | undefined {
    const isRamping = this.#rampUntil !== Number.NEGATIVE_INFINITY && !this.#options.shadow;
    return this.#state.kind === 'closed' && !isRamping ? this.#state.epoch : undefined;
  }

  /**
   * Takes the permit for one run of the function; {@link report} gives it back.
   * @returns the permit, or the error for a call that may not run
   */
  acquire(now: number): number | RejectedError {
    if (this.#state.kind === 'closed') return this.#state.epoch;
    const answer = admission(this.#state, this.#rules, now);
    if (answer.admitted) {
      this.#apply({ type: 'admit' }, now);
      return this.#state.epoch;
    }
    if (!this.#options.shadow) return this.#refused(answer);
    this.#shadowRejections += 1;
    return SHADOWED;
  }

  /** Watches a run for slowness, where that counts. @returns what {@link report} wants back */
  watch(permit: number, now: number): RunningCall | undefined {
    if (!this.#slowCalls || permit === SHADOWED) return undefined;
    // Bound to the caller's context: listeners hear there of the transition that it may cause.
    const call = new RunningCall(AsyncResource.bind(() => this.#record(permit, false, true)));
    this.#deadlines.arm(this.#slowCalls, call, now);
    return call;
  }

  /** Tells how the run with this permit ended. */
  report(permit: number, result: BreakerResult, running?: RunningCall): void {
    if (running) this.#deadlines.disarm(running);
    const state = this.#state;
    if (permit !== state.epoch) return;
    if (state.kind === 'closed') {
      if (result === 'neutral' || result === 'answer') return;
      if (!running?.isSlow) this.#record(permit, result === 'failure', false);
      else if (result === 'failure') this.#trip(permit, this.#rule.amendFailure());
    } else if (state.kind === 'half_open') {
      const answered = running?.isSlow ? 'failure' : 'success';
      const type = result === 'success' || result === 'answer' ? answered : result;
      this.#apply({ type, epoch: permit }, this.#clock.now());
    }
  }

  /** Whether `error` counts against the dependency. Refusals of policies and timeouts of a blocked event loop never do. A filter that throws counts as a yes. */
  isFailure(error: unknown): boolean {
    return this.resultOf(error) === 'failure';
  }

  /** What a run that threw `error` says about the dependency. */
  resultOf(error: unknown): Exclude<BreakerResult, 'success'> {
    if (isRefusal(error) || isLoopDelay(error)) return 'neutral';
    const { failureIf } = this.#options;
    return !failureIf || answerOf(failureIf, error, FAILURE_IF, this.#warn) ? 'failure' : 'answer';
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
    this.#rule = this.#ruleMaker.make();
    this.#rampUntil = Number.NEGATIVE_INFINITY;
  }

  /** Tells nobody any more: another breaker has taken its place. */
  retire(): void {
    this.#onTransition = () => {};
  }

  /** The state as plain JSON, to be kept over a restart. */
  toJSON(): SavedBreaker {
    const state = this.#state;
    return {
      version: SAVED_VERSION,
      state: state.kind,
      openings: 'openings' in state ? state.openings : 0,
      openUntil: state.kind === 'open' ? this.#clock.epoch() + (state.untilMs - this.#clock.now()) : null,
      rule: this.#rule.save(),
    };
  }

  /**
   * Takes up what {@link toJSON} gave. A circuit that was half-open is open and due for a trial.
   * @throws {ConfigError} for anything else
   */
  restore(saved: unknown): void {
    const { state, openings, openUntil, rule } = parseSaved(saved);
    const now = this.#clock.now();
    const epoch = this.#state.epoch + 1;
    const from = this.#state.kind;
    if (state === 'open' || state === 'half_open') {
      const leftMs =
        openUntil === null ? 0 : Math.max(0, Math.min(openUntil - this.#clock.epoch(), this.#longestOpenMs));
      this.#state = { kind: 'open', epoch, openings: Math.max(1, openings), untilMs: now + leftMs };
    } else {
      this.#state = { kind: state, epoch };
    }
    this.#changed(from, this.#state.kind);
    if (state === 'closed') this.#rule.restore(rule);
    this.#decisions.decided();
  }

  #record(permit: number, failed: boolean, slow: boolean): void {
    if (this.#state.kind !== 'closed' || permit !== this.#state.epoch) return;
    this.#trip(permit, this.#rule.record({ failed, slow }));
  }

  #trip(permit: number, trips: boolean): void {
    if (trips) this.#apply({ type: 'trip', epoch: permit }, this.#clock.now());
  }

  /** The pure machine's answer, and after closing that of the ramp: a share of the calls that grows with time. */
  #admission(now: number): Admission {
    const answer = admission(this.#state, this.#rules, now);
    const { rampMs } = this.#options;
    if (!answer.admitted || this.#state.kind !== 'closed' || rampMs === undefined) return answer;
    const left = this.#rampUntil - now;
    return left <= 0 || this.#random() >= left / rampMs
      ? answer
      : { admitted: false, reason: 'half_open', retryAfterMs: left };
  }

  #apply(input: CircuitInput, now: number): void {
    const from = this.#state.kind;
    const epoch = this.#state.epoch;
    this.#state = transition(this.#state, input, this.#rules, now);
    // A trial that said nothing about the dependency leaves a place for one who waits.
    if (this.#state.epoch !== epoch || input.type === 'neutral') this.#decisions.decided();
    this.#changed(from, this.#state.kind);
  }

  #changed(from: BreakerState, to: BreakerState): void {
    if (from === to) return;
    if (to === 'closed') {
      this.#rule = this.#ruleMaker.make();
      if (this.#options.rampMs !== undefined) this.#rampUntil = this.#clock.now() + this.#options.rampMs;
    }
    this.#onTransition(from, to);
  }

  /** If `openFor` is longer than `maxOpenFor`, `openFor` wins. */
  get #longestOpenMs(): number {
    return Math.max(this.#options.maxOpenForMs, this.#options.openForMs);
  }

  #openTime(openings: number): number {
    const { openForMs, openFactor, openJitter } = this.#options;
    const spread = 1 + openJitter * (2 * this.#random() - 1);
    return Math.min(this.#longestOpenMs, openForMs * openFactor ** (openings - 1) * spread);
  }

  #refused(answer: Extract<Admission, { admitted: false }>): RejectedError {
    const { reason, retryAfterMs } = answer;
    const circuit = ofGuard(this.#source, 'The circuit');
    const message = {
      open: `${circuit} is open; the next trial is in ${formatDuration(Math.ceil(retryAfterMs ?? 0))}.`,
      half_open: `${circuit} is half-open: it lets through only as many calls as it needs to decide.`,
      forced_open: `${circuit} is held open.`,
    }[reason];
    const code = reason === 'forced_open' ? 'ERR_KEELSON_BREAKER_FORCED_OPEN' : 'ERR_KEELSON_BREAKER_OPEN';
    const hint =
      reason === 'forced_open'
        ? 'Somebody opened it by hand: `guard.breaker.reset()` closes it.'
        : 'The dependency failed repeatedly. Look at its errors, or retry after `retryAfterMs`.';
    return new RejectedError(code, reason, message, { source: this.#source, hint, retryAfterMs });
  }
}
