import { RejectedError } from '../../core/errors.ts';
import type { Interruptible } from '../../core/execution.ts';
import type { PolicyName } from '../../core/outcome.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { RateWaiter } from '../../policies/rate-limit/index.ts';
import type { PipelineMechanisms } from '../options/policies.ts';
import type { AmbientExecution } from './ambient.ts';
import { ambientExecution } from './ambient.ts';
import type { Attempt } from './attempt.ts';
import type { Call } from './call.ts';
import type { Reporter } from './reporter.ts';

/**
 * Lets attempts in: breaker check, rate limit, bulkhead, breaker permit. The check comes first, so that an open circuit refuses before
 * anything waits; the permit comes last, so that a line never drains into a circuit that opened meanwhile.
 */
export class Admission {
  readonly #gates: PipelineMechanisms;
  readonly #clock: Clock;
  readonly #reporter: Reporter;

  constructor(gates: PipelineMechanisms, clock: Clock, reporter: Reporter) {
    this.#gates = gates;
    this.#clock = clock;
    this.#reporter = reporter;
  }

  /**
   * Takes the call through the gates; {@link leave} gives back what it holds.
   * @returns the time on the clock when it is in; a promise of it only where the call has to wait
   * @throws the refusal, or what interrupted the call
   */
  enter<T>(attempt: Attempt<T>, now: number): number | Promise<number> {
    const { interruption } = attempt.call;
    if (interruption) throw interruption.error;
    const { breaker, rateLimit, bulkhead } = this.#gates;
    const refusal = breaker?.refusal(now);
    if (refusal) return this.#afterDecision(attempt, refusal);
    if (rateLimit) {
      attempt.askedAt = now;
      const turn = rateLimit.enter(now, attempt.call.keepsToken);
      if (turn) return this.#afterTurn(attempt, turn);
    }
    if (bulkhead && !bulkhead.tryEnter()) return this.#afterSlot(attempt);
    return this.#permit(attempt, now);
  }

  /** Gives everything back: the call was let in, and cannot use it any more. */
  abandon<T>(attempt: Attempt<T>): void {
    const { breaker, bulkhead } = this.#gates;
    breaker?.report(attempt.permit, 'neutral', attempt.running);
    bulkhead?.leave();
    this.#giveBackToken(attempt);
  }

  /** The call has the token that was kept for its retry, or it does not retry: nothing is kept for it any more. */
  unkeepToken<T>(call: Call<T>): void {
    if (!call.keepsToken) return;
    call.keepsToken = false;
    this.#gates.rateLimit?.unkeep();
  }

  /** Gives the slot back. */
  leave(): void {
    this.#gates.bulkhead?.leave();
  }

  /** Notes that one of the guard's own policies stops the call here. @returns the refusal */
  refused<T>(call: Call<T>, refusal: RejectedError): RejectedError {
    const { source, reason, retryAfterMs } = refusal;
    const policy = source.policy ?? 'timeout';
    call.refusal = refusal;
    if (call.attempts > 0) call.suppressed = { policy, reason };
    const { rejections } = this.#reporter.counters;
    rejections[`${policy}/${reason}`] = (rejections[`${policy}/${reason}`] ?? 0) + 1;
    this.#reporter.tell({ type: 'rejected', policy, reason, retryAfterMs }, call);
    return refusal;
  }

  /** Waits for the trials of a half-open circuit, where that is allowed. */
  async #afterDecision<T>(attempt: Attempt<T>, refusal: RejectedError): Promise<number> {
    const { breaker } = this.#gates;
    const wait = breaker?.state === 'half_open' ? breaker.decisions.join() : undefined;
    if (!wait) throw this.refused(attempt.call, refusal);
    await this.#wait(attempt, wait, wait.granted, 'breaker');
    if (attempt.call.interruption) throw attempt.call.interruption.error;
    const now = this.#clock.now();
    const again = breaker?.refusal(now);
    if (again) throw this.refused(attempt.call, again);
    return this.enter(attempt, now);
  }

  /** Waits for a token of the rate limit, then for a slot. */
  async #afterTurn<T>(attempt: Attempt<T>, turn: RateWaiter | RejectedError): Promise<number> {
    if (turn instanceof RejectedError) throw this.refused(attempt.call, turn);
    attempt.turn = turn;
    await this.#wait(attempt, turn, turn.granted, 'rate_limit');
    const { bulkhead } = this.#gates;
    if (attempt.call.interruption) {
      this.#giveBackToken(attempt);
      throw attempt.call.interruption.error;
    }
    if (bulkhead && !bulkhead.tryEnter()) return this.#afterSlot(attempt);
    return this.#permit(attempt, this.#clock.now());
  }

  /** Waits for a slot. The token of the rate limit is spent with it: nothing gives the provider's quota back but not to have called. */
  async #afterSlot<T>(attempt: Attempt<T>): Promise<number> {
    const { bulkhead } = this.#gates;
    const waiter = bulkhead?.enqueue(holdersOf(bulkhead));
    if (waiter) {
      try {
        if (waiter instanceof RejectedError) throw this.refused(attempt.call, waiter);
        await this.#wait(attempt, waiter, waiter.granted, 'bulkhead');
      } catch (error) {
        this.#giveBackToken(attempt);
        throw error;
      }
    }
    if (attempt.call.interruption) {
      bulkhead?.leave();
      this.#giveBackToken(attempt);
      throw attempt.call.interruption.error;
    }
    return this.#permit(attempt, this.#clock.now());
  }

  #permit<T>(attempt: Attempt<T>, now: number): number {
    const { breaker, bulkhead } = this.#gates;
    if (!breaker) return now;
    const permit = breaker.acquire(now);
    if (permit instanceof RejectedError) {
      bulkhead?.leave();
      this.#giveBackToken(attempt);
      throw this.refused(attempt.call, permit);
    }
    attempt.permit = permit;
    attempt.running = breaker.watch(permit, now);
    return now;
  }

  #giveBackToken<T>({ askedAt, turn }: Attempt<T>): void {
    this.#gates.rateLimit?.giveBack(askedAt, turn);
  }

  async #wait<T>(
    attempt: Attempt<T>,
    stage: Interruptible,
    over: Promise<void>,
    policy: PolicyName,
  ): Promise<void> {
    const since = this.#clock.now();
    attempt.enter(stage);
    try {
      await over;
    } catch (error) {
      throw error instanceof RejectedError ? this.refused(attempt.call, error) : error;
    } finally {
      attempt.leave();
      this.#reporter.waited(policy, this.#clock.now() - since);
    }
  }
}

/** The executions around the code that runs now that hold a slot of the bulkhead. */
function holdersOf(bulkhead: object): AmbientExecution[] {
  const holders: AmbientExecution[] = [];
  for (let execution = ambientExecution(); execution; execution = execution.outer)
    if (execution.slots === bulkhead && !execution.isOver) holders.push(execution);
  return holders;
}
