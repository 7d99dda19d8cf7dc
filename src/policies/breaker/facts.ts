import type { BreakerState } from '../../core/events.ts';
import { formatDuration } from '../../core/time/duration.ts';
import type { PolicyFacts, TimeLimits } from '../facts.ts';
import { counted, filterText } from '../facts.ts';
import { Breaker } from './breaker.ts';
import type { BreakerOptions, ResolvedBreaker } from './options.ts';
import { replacedRules, resolveBreaker } from './options.ts';
import type { StrategyListener } from './rule-maker.ts';
import { strategyWarning } from './rule-maker.ts';

/** The state and the numbers of a breaker at one moment. */
export interface BreakerSnapshot {
  readonly state: BreakerState;
  /** Milliseconds until the open circuit lets a trial through; `undefined` in any other state. */
  readonly retryAfterMs: number | undefined;
  /** State changes, as `from/to`. */
  readonly transitions: Readonly<Record<string, number>>;
  /** Calls that shadow mode let through although the circuit would have refused them. */
  readonly shadowRejections: number;
}

/** What a guard knows of a breaker. It acts in two places: it checks before the waits, and gives the permit after them. */
export const breakerFacts: PolicyFacts<BreakerOptions, ResolvedBreaker, Breaker, BreakerSnapshot> = {
  key: 'breaker',
  resolve: resolveBreaker,
  describe: (breaker, place, mechanism) =>
    place === 'check' ? describeCheck(breaker, mechanism) : 'breaker permit: asked for again after the waits',
  replaces: replacedRules,
  lint: lintBreaker,
  rejectionKeys: () => ['breaker/open', 'breaker/half_open', 'breaker/forced_open'],
  waitKeys: ({ halfOpenWaitMs }) => (halfOpenWaitMs === undefined ? [] : ['breaker']),
  make: (resolved, { clock, random, source, onTransition, warnOnce }, before) => {
    const saved = before?.toJSON();
    before?.retire();
    const onStrategyFailure: StrategyListener = (error, strategy) =>
      warnOnce(`breaker.strategy/${strategy}`, () => strategyWarning(error, strategy));
    const ports = {
      clock,
      random,
      onTransition,
      onStrategyFailure,
      warn: warnOnce,
      source,
      ...(saved && { saved }),
    };
    return new Breaker(resolved, ports);
  },
  // One that is due for a trial lets the next call through in either case. Otherwise hosts that are gone would keep their keys for ever.
  isBusy: ({ state, retryAfterMs = 0 }) =>
    retryAfterMs > 0 || state === 'forced_open' || state === 'disabled',
  snapshot: ({ state, retryAfterMs, shadowRejections }, { transitions }) => ({
    state,
    retryAfterMs,
    transitions: { ...transitions },
    shadowRejections,
  }),
};

function describeCheck(breaker: ResolvedBreaker, mechanism: Breaker | undefined): string {
  const { strategy, failures, failureRate, slowCallRate, slowCallMs, window, openForMs, shadow, failureIf } =
    breaker;
  const span = 'calls' in window ? counted(window.calls, 'call') : formatDuration(window.ms);
  const rates = [
    failureRate !== undefined && `${failureRate * 100} % failures in ${span}`,
    slowCallRate !== undefined &&
      `${slowCallRate * 100} % calls over ${formatDuration(slowCallMs ?? 0)} in ${span}`,
  ].filter((rule) => typeof rule === 'string');
  const inARow = failures === 1 ? '1 failure' : `${failures} failures in a row`;
  const rule = strategy ? describeStrategy(mechanism, inARow) : rates.join(' or ') || inARow;
  return `breaker check: opens at ${rule}, for ${formatDuration(openForMs)}${filterText('failureIf', failureIf)}${shadow ? ', in shadow: refuses nothing' : ''}`;
}

function describeStrategy(mechanism: Breaker | undefined, inARow: string): string {
  if (mechanism?.brokenStrategy === 'replaced') return `${inARow}, since the strategy threw when it was made`;
  return mechanism?.brokenStrategy === 'throws'
    ? "a strategy of cockatiel's that has thrown"
    : "a strategy of cockatiel's";
}

function lintBreaker(breaker: ResolvedBreaker, { attemptMs }: TimeLimits): string[] {
  if (breaker.strategy) return [];
  const found: string[] = [];
  const { failureRate, slowCallRate, slowCallMs, window, minimumCalls, openForMs } = breaker;
  const hasRate = failureRate !== undefined || slowCallRate !== undefined;
  if (hasRate && 'calls' in window && minimumCalls > window.calls) {
    found.push(
      `breaker.minimumCalls (${minimumCalls}) is never reached in a breaker.window of ${window.calls} calls: the circuit cannot open. Widen the window.`,
    );
  }
  if (slowCallMs !== undefined && slowCallRate === undefined) {
    found.push(
      'breaker.slowCall does nothing without breaker.slowCallRate. Say at which share of slow calls the circuit opens.',
    );
  }
  if (attemptMs === undefined) return found;
  if (slowCallMs !== undefined && failureRate === undefined && slowCallMs >= attemptMs) {
    found.push(
      'breaker.slowCall is not shorter than timeout.attempt, and failures do not count: the circuit cannot open. Shorten it, or give a failureRate.',
    );
  }
  if (attemptMs > openForMs) {
    found.push(
      'timeout.attempt is longer than breaker.openFor: trials are given up before they can answer. Make openFor longer.',
    );
  }
  return found;
}
