import type { Event, IDefaultPolicyContext, IPolicy } from 'cockatiel';
import { RejectedError } from '../../core/errors.ts';
import type { BreakerState, BreakerTransition } from '../../core/events.ts';
import { Listeners } from '../../core/events.ts';
import { OptionChecker } from '../../core/options.ts';
import { systemRandom } from '../../core/random.ts';
import { systemClock } from '../../core/time/clock.ts';
import { asEvent, PolicyEvents } from '../policy-events.ts';
import type { PolicyPorts } from '../standalone.ts';
import { onAbort, warnerOf, warnOf } from '../standalone.ts';
import { Breaker } from './breaker.ts';
import type { BreakerHandle } from './handle.ts';
import { breakerHandle } from './handle.ts';
import type { BreakerOptions } from './options.ts';
import { resolveBreaker } from './options.ts';
import type { BrokenStrategy } from './rule-maker.ts';
import { strategyWarning } from './rule-maker.ts';

/** A circuit breaker as a policy of its own. */
export interface BreakerPolicy extends IPolicy {
  /** The circuit: its state, and what can be done by hand. */
  readonly breaker: BreakerHandle;
  /** Told of every state change. */
  readonly onTransition: Event<BreakerTransition>;
}

/**
 * A circuit breaker that mixes in cockatiel's `wrap`. Aborts of the caller and rejections of guards within are neutral; results of calls
 * that started in an earlier state change nothing.
 * @returns a policy that throws {@link RejectedError} (`ERR_KEELSON_BREAKER_OPEN`, with `retryAfterMs`)
 * @throws {ConfigError} for options that cannot be used
 */
export function breaker(
  options: BreakerOptions = {},
  { clock = systemClock, random = systemRandom }: PolicyPorts = {},
): BreakerPolicy {
  const check = new OptionChecker('breaker');
  const resolved = resolveBreaker(options, check);
  check.done();
  const transitions = new Listeners<BreakerTransition>();
  const onTransition = (from: BreakerState, to: BreakerState): void =>
    transitions.emit({ type: 'breaker.transition', from, to });
  const told = new Set<BrokenStrategy>();
  const onStrategyFailure = (error: unknown, strategy: BrokenStrategy): void => {
    if (told.has(strategy)) return;
    told.add(strategy);
    warnOf('breaker', strategyWarning(error, strategy));
  };
  const circuit = new Breaker(resolved, {
    clock,
    random,
    onTransition,
    onStrategyFailure,
    warn: warnerOf('breaker'),
  });
  const events = new PolicyEvents(clock);

  async function permitFor(signal: AbortSignal | undefined): Promise<number> {
    let refusal = circuit.refusal(clock.now());
    const wait = refusal && circuit.state === 'half_open' ? circuit.decisions.join() : undefined;
    if (wait) {
      const stopListening = onAbort(signal, (reason) => wait.interrupt(reason));
      await wait.granted.finally(stopListening);
      refusal = circuit.refusal(clock.now());
    }
    const permit = refusal ?? circuit.acquire(clock.now());
    if (permit instanceof RejectedError) throw permit;
    return permit;
  }

  async function run<T>(
    fn: (context: IDefaultPolicyContext) => PromiseLike<T> | T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    signal?.throwIfAborted();
    const permit = await permitFor(signal);
    const running = circuit.watch(permit, clock.now());
    try {
      const value = await fn({ signal: signal ?? new AbortController().signal });
      circuit.report(permit, 'success', running);
      return value;
    } catch (error) {
      circuit.report(permit, signal?.aborted ? 'neutral' : circuit.resultOf(error), running);
      throw error;
    }
  }

  return {
    _altReturn: undefined as never,
    onSuccess: events.onSuccess,
    onFailure: events.onFailure,
    breaker: breakerHandle(() => circuit),
    onTransition: asEvent(transitions),
    execute: (fn, signal) =>
      events.watch(
        () => run(fn, signal),
        (error) => circuit.isFailure(error),
      ),
  };
}
