import type { Outcome, PolicyName } from '../../core/outcome.ts';
import type { GuardSource, RejectionKey } from '../../core/stats.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { Rejection } from '../../policies/cockatiel-rejection.ts';
import type { FailedOutcome } from '../call/call.ts';
import type { Reporter } from '../call/reporter.ts';
import type { CockatielPolicy, PolicyParts } from './cockatiel-view.ts';
import { partsOf } from './cockatiel-view.ts';
import { ObservedCall } from './observed-call.ts';
import { isTimedOut, rejectionOf } from './policy-errors.ts';

/** How a policy of cockatiel's is shown. */
export interface ObserveOptions {
  /** The dependency, as a guard's name: it labels everything that is reported. */
  readonly name: string;
  /** What the calls do, where one word fits all of them. @defaultValue 'execute' */
  readonly operation?: string;
}

type Execute = (
  fn: (context: unknown, ...rest: unknown[]) => unknown,
  signal?: AbortSignal,
) => Promise<unknown>;

/**
 * Gives a policy of cockatiel's the spans and metrics of a guard, without changing what it does: the same values, errors and events. A call settles one microtask later.
 * @param reporter that of the name; policies that were observed under it before go on to count there
 * @returns a stand-in for `policy` of the same type; use it in its place, alone or inside `wrap`
 */
export function observePolicy<P extends CockatielPolicy>(
  policy: P,
  { name, operation = 'execute' }: ObserveOptions,
  reporter: Reporter,
  clock: Clock,
): P {
  const parts = partsOf(policy);
  const { counters } = reporter;
  for (const key of parts.rejections) counters.rejections[key] ??= 0;
  for (const key of waitKeys(parts)) counters.waitMs[key] ??= 0;
  const falls = parts.fallbacks.length > 0;
  const source: GuardSource = {
    name,
    counters,
    origins: falls || counters.origins.fallback > 0 ? ['live', 'fallback'] : ['live'],
    breaker: parts.breaker?.view,
    bulkhead: parts.bulkhead,
  };
  reporter.publish(source);
  follow(parts, reporter);
  return standInFor(policy, { operation, reporter, clock, falls });
}

/** What a policy is made of, as far as telemetry reads it: the same text for a policy that is made anew. */
export function kindsOf(policy: CockatielPolicy): string {
  const { breaker, bulkhead, retries, fallbacks } = partsOf(policy);
  return [breaker ? 1 : 0, bulkhead ? 1 : 0, retries.length, fallbacks.length].join(' ');
}

/** What the calls of an observed policy have in common. */
interface Observed {
  readonly operation: string;
  readonly reporter: Reporter;
  readonly clock: Clock;
  /** Whether a value may come from a fallback. */
  readonly falls: boolean;
}

/** The policy itself, but for the calls; methods keep their identity from one read to the next. */
function standInFor<P extends CockatielPolicy>(policy: P, observed: Observed): P {
  const execute = observedExecute(policy, observed);
  const bound = new Map<PropertyKey, { readonly method: unknown; readonly stand: unknown }>();
  return new Proxy(targetFor(policy), {
    get(_, property) {
      if (property === 'execute') return execute;
      const value: unknown = Reflect.get(policy, property, policy);
      if (typeof value !== 'function' || property === 'constructor') return value;
      const known = bound.get(property);
      if (known?.method === value) return known.stand;
      const stand: unknown =
        property === 'dangerouslyUnref' ? () => unrefed(value.call(policy), observed) : value.bind(policy);
      bound.set(property, { method: value, stand });
      return stand;
    },
  });
}

/** A proxy must show the very value of a frozen property. A frozen policy is shown through a copy of its properties that is not frozen. */
function targetFor<P extends CockatielPolicy>(policy: P): P {
  if (Object.isExtensible(policy)) return policy;
  const own = Object.entries(Object.getOwnPropertyDescriptors(policy)).map(
    ([key, descriptor]) => [key, { ...descriptor, configurable: true }] as const,
  );
  return Object.create(Object.getPrototypeOf(policy) as object, Object.fromEntries(own)) as P;
}

/** Cockatiel makes a new policy for this, which is observed as the first one is. */
function unrefed(policy: CockatielPolicy, observed: Observed): CockatielPolicy {
  follow({ ...partsOf(policy), breaker: undefined }, observed.reporter);
  return standInFor(policy, observed);
}

function observedExecute(policy: CockatielPolicy, { operation, reporter, clock, falls }: Observed): Execute {
  return (fn, signal) => {
    const call = new ObservedCall(operation, reporter, clock);
    reporter.begin(call, clock.now());
    const body = async (): Promise<unknown> => {
      try {
        const attempt = (...args: [unknown, ...unknown[]]): unknown =>
          call.attempt(() => fn(...args), signal);
        const value: unknown = await Reflect.apply(policy.execute, policy, [attempt, signal]);
        call.finish(signal);
        const isStandIn = falls && call.isStandIn(value);
        if (isStandIn) call.origin = 'fallback';
        reporter.settle(call, 'success', isStandIn ? call.lastFailure?.error : undefined);
        return value;
      } catch (error) {
        call.finish(signal);
        settleError(call, error, signal, reporter);
        throw error;
      }
    };
    call.span = reporter.startSpan(operation, call);
    return call.span ? call.span.run(body) : body();
  };
}

/** Settles a call that threw: in the account, what the function did stands before what a policy then refused. */
function settleError(
  call: ObservedCall,
  error: unknown,
  signal: AbortSignal | undefined,
  reporter: Reporter,
): void {
  const rejection = rejectionOf(error);
  if (rejection) {
    countRejection(rejection, reporter);
    reporter.tell({ type: 'rejected', ...rejection }, call);
    if (call.lastFailure) call.suppressed = { policy: rejection.policy, reason: rejection.reason };
  }
  const outcome = outcomeOf(call, error, rejection !== undefined, signal);
  reporter.settle(call, outcome, rejection && call.lastFailure ? call.lastFailure.error : error);
}

function outcomeOf(
  call: ObservedCall,
  error: unknown,
  isRejected: boolean,
  signal: AbortSignal | undefined,
): Outcome {
  if (isRejected) return call.lastFailure?.outcome ?? 'rejected';
  if (signal?.aborted) return 'cancelled';
  const outcome: FailedOutcome = isTimedOut(error) ? 'timeout' : 'failure';
  return outcome;
}

function countRejection(rejection: Rejection, { counters }: Reporter): void {
  const key: RejectionKey = `${rejection.policy}/${rejection.reason}`;
  counters.rejections[key] = (counters.rejections[key] ?? 0) + 1;
}

/**
 * Listens to state changes, retries and fallbacks; a rejection that one of the latter two deals with never comes out of the policy. Cockatiel
 * lets a listener that throws change the call, so these must not.
 */
function follow({ breaker, retries, fallbacks }: PolicyParts, reporter: Reporter): void {
  const dealtWith = (error: unknown): void => {
    const rejection = rejectionOf(error);
    if (rejection) countRejection(rejection, reporter);
  };
  breaker?.onChange((from, to) => {
    reporter.safely(() => reporter.transition({ type: 'breaker.transition', from, to }));
  });
  for (const retry of retries) {
    retry.onRetry((delayMs, error) => {
      const { waitMs } = reporter.counters;
      waitMs['retry'] = (waitMs['retry'] ?? 0) + delayMs;
      dealtWith(error);
    });
  }
  for (const fallback of fallbacks) {
    fallback.onUse(dealtWith);
  }
}

function waitKeys({ retries }: PolicyParts): PolicyName[] {
  return retries.length > 0 ? ['retry'] : [];
}
