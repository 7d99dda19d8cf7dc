import type { Clock } from '../core/clock.ts';
import { RejectedError } from '../core/errors.ts';
import type { Interruptible } from '../core/execution.ts';
import type { PolicyName } from '../core/outcome.ts';
import type { Breaker } from '../policies/breaker/index.ts';
import type { Bulkhead } from '../policies/bulkhead/index.ts';
import type { Limiter } from '../policies/rate-limit/index.ts';
import type { Call } from './call.ts';
import type { Reporter } from './reporter.ts';

/** A place in a line: that of the bulkhead, or of the rate limit. */
interface Turn extends Interruptible {
  readonly granted: Promise<void>;
}

/** The policies that an attempt passes before its function may run. */
export interface Gates {
  readonly breaker: Breaker | undefined;
  readonly limiter: Limiter | undefined;
  readonly bulkhead: Bulkhead | undefined;
}

/**
 * Lets attempts in: breaker check, rate limit, bulkhead, breaker permit. The check comes first, so that an open circuit refuses before
 * anything waits; the permit comes last, so that a line never drains into a circuit that opened meanwhile.
 */
export class Admission {
  readonly #gates: Gates;
  readonly #clock: Clock;
  readonly #reporter: Reporter;

  constructor(gates: Gates, clock: Clock, reporter: Reporter) {
    this.#gates = gates;
    this.#clock = clock;
    this.#reporter = reporter;
  }

  /**
   * Takes the call through the gates; {@link leave} gives back what it holds.
   * @returns the time on the clock when it is in; a promise of it only where the call has to wait
   * @throws the refusal, or what interrupted the call
   */
  enter<T>(call: Call<T>, now: number): number | Promise<number> {
    if (call.interruption) throw call.interruption.error;
    const { breaker, limiter, bulkhead } = this.#gates;
    const refusal = breaker?.refusal(now);
    if (refusal) return this.#afterDecision(call, refusal);
    const turn = limiter?.enter(now);
    if (turn) return this.#afterTurn(call, turn);
    if (bulkhead && !bulkhead.tryEnter()) return this.#afterSlot(call);
    return this.#permit(call, now);
  }

  /** Gives everything back: the call was let in, and cannot use it any more. */
  abandon<T>(call: Call<T>): void {
    const { breaker, limiter, bulkhead } = this.#gates;
    breaker?.report(call.permit, 'neutral', call.running);
    bulkhead?.leave();
    limiter?.giveBack();
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
  async #afterDecision<T>(call: Call<T>, refusal: RejectedError): Promise<number> {
    const { breaker } = this.#gates;
    const wait = breaker?.state === 'half_open' ? breaker.decisions.join() : undefined;
    if (!wait) throw this.refused(call, refusal);
    await this.#wait(call, wait, wait.granted, 'breaker');
    if (call.interruption) throw call.interruption.error;
    const now = this.#clock.now();
    const again = breaker?.refusal(now);
    if (again) throw this.refused(call, again);
    return this.enter(call, now);
  }

  /** Waits for a token of the rate limit, then for a slot. */
  async #afterTurn<T>(call: Call<T>, turn: Turn | RejectedError): Promise<number> {
    if (turn instanceof RejectedError) throw this.refused(call, turn);
    await this.#wait(call, turn, turn.granted, 'rate_limit');
    const { limiter, bulkhead } = this.#gates;
    if (call.interruption) {
      limiter?.giveBack();
      throw call.interruption.error;
    }
    if (bulkhead && !bulkhead.tryEnter()) return this.#afterSlot(call);
    return this.#permit(call, this.#clock.now());
  }

  /** Waits for a slot. The token of the rate limit is spent with it: nothing gives the provider's quota back but not to have called. */
  async #afterSlot<T>(call: Call<T>): Promise<number> {
    const { bulkhead, limiter } = this.#gates;
    const waiter = bulkhead?.enqueue();
    if (waiter) {
      try {
        if (waiter instanceof RejectedError) throw this.refused(call, waiter);
        await this.#wait(call, waiter, waiter.granted, 'bulkhead');
      } catch (error) {
        limiter?.giveBack();
        throw error;
      }
    }
    if (call.interruption) {
      bulkhead?.leave();
      limiter?.giveBack();
      throw call.interruption.error;
    }
    return this.#permit(call, this.#clock.now());
  }

  #permit<T>(call: Call<T>, now: number): number {
    const { breaker, limiter, bulkhead } = this.#gates;
    if (!breaker) return now;
    const permit = breaker.acquire(now);
    if (permit instanceof RejectedError) {
      bulkhead?.leave();
      limiter?.giveBack();
      throw this.refused(call, permit);
    }
    call.permit = permit;
    call.running = breaker.watch(permit, now);
    return now;
  }

  async #wait<T>(
    call: Call<T>,
    stage: Interruptible,
    over: Promise<void>,
    policy: PolicyName,
  ): Promise<void> {
    const since = this.#clock.now();
    call.enter(stage);
    try {
      await over;
    } catch (error) {
      throw error instanceof RejectedError ? this.refused(call, error) : error;
    } finally {
      call.stage = undefined;
      this.#reporter.waited(policy, this.#clock.now() - since);
    }
  }
}
