import type { IBreaker } from 'cockatiel';
import type { OptionChecker } from '../../core/options.ts';
import type { Duration } from '../../core/time/duration.ts';
import { parseDuration } from '../../core/time/duration.ts';

/** When to stop calling a dependency that fails, and when to try it again. */
export interface BreakerOptions {
  /** Consecutive failures that open the circuit: 1 or more. This rule applies if no rate is given. @defaultValue 5 */
  readonly failures?: number;
  /** Opens at this share of failed calls in the `window`, in place of `failures`: above 0, at most 1. */
  readonly failureRate?: number;
  /** Opens at this share of slow calls in the `window`: above 0, at most 1. Needs `slowCall`. */
  readonly slowCallRate?: number;
  /** How long a call takes that is slow; one that still runs after this counts at once. */
  readonly slowCall?: Duration;
  /** What the rates look at: a number of the last calls (`100`), or the calls of a last period (`'10s'`). @defaultValue 100 */
  readonly window?: number | Duration;
  /** Fewer calls in the window than this open nothing: 1 or more. @defaultValue 20 */
  readonly minimumCalls?: number;
  /** Makes a rule of its own, in place of all of the above: any breaker strategy of cockatiel's. Called each time the circuit closes. */
  readonly strategy?: () => IBreaker;
  /** Trials that must succeed, none failing, before the circuit closes again: 1 or more. It is also the number of trials that run at once. @defaultValue 3 */
  readonly successes?: number;
  /** How long the circuit stays open before a trial is let through. @defaultValue '2m' */
  readonly openFor?: Duration;
  /** What `openFor` is multiplied with each time that the trials fail: 1 or more. @defaultValue 1 */
  readonly openFactor?: number;
  /** The circuit never stays open for longer without a trial. @defaultValue '10m' */
  readonly maxOpenFor?: Duration;
  /** The share by which chance makes the open time shorter or longer, so that a fleet does not come back in one moment: 0 to 1. @defaultValue 0 */
  readonly openJitter?: number;
  /** How long a call waits for the decision of running trials, in place of being refused at once. @defaultValue no time */
  readonly halfOpenWait?: Duration;
  /** After closing, lets through a share of the calls that grows to all of them in this time. @defaultValue all at once */
  readonly ramp?: Duration;
  /** `shadow`: counts and reports as usual, and never refuses a call. @defaultValue 'enforce' */
  readonly mode?: 'enforce' | 'shadow';
  /** Which errors count against the dependency. @defaultValue all of them; rejections of guards and aborts of callers never count */
  readonly failureIf?: (error: unknown) => boolean;
}

/** The values that apply where an option is left out. */
export const breakerDefaults = {
  failures: 5,
  window: 100,
  minimumCalls: 20,
  successes: 3,
  openFor: '2m',
  openForMs: 120_000,
  openFactor: 1,
  maxOpenFor: '10m',
  maxOpenForMs: 600_000,
  openJitter: 0,
  mode: 'enforce',
} as const;

/** {@link BreakerOptions} with every default filled in. */
export interface ResolvedBreaker {
  readonly failures: number;
  readonly failureRate: number | undefined;
  readonly slowCallRate: number | undefined;
  readonly slowCallMs: number | undefined;
  readonly window: { readonly calls: number } | { readonly ms: number };
  readonly minimumCalls: number;
  readonly strategy: (() => IBreaker) | undefined;
  readonly successes: number;
  readonly openForMs: number;
  readonly openFactor: number;
  readonly maxOpenForMs: number;
  readonly openJitter: number;
  readonly halfOpenWaitMs: number | undefined;
  readonly rampMs: number | undefined;
  readonly shadow: boolean;
  readonly failureIf: ((error: unknown) => boolean) | undefined;
}

const RULE_KEYS = ['failures', 'failureRate', 'slowCallRate', 'slowCall', 'window', 'minimumCalls'] as const;
const KEYS = [
  ...RULE_KEYS,
  'strategy',
  'successes',
  'openFor',
  'openFactor',
  'maxOpenFor',
  'openJitter',
  'halfOpenWait',
  'ramp',
  'mode',
  'failureIf',
] as const;
const SHARE = { min: 0, max: 1, exclusiveMin: true };
const COUNT = { min: 1, integer: true };
/** A window is kept as one byte a call, or in ten slices. */
const MAX_WINDOW_CALLS = 1_000_000;
const MIN_WINDOW_MS = 10;

/** Checks the options and fills in the defaults. */
export function resolveBreaker(options: BreakerOptions, check: OptionChecker): ResolvedBreaker {
  check.keys(options, KEYS);
  check.filter(
    'strategy',
    options.strategy,
    'Give a function that makes the strategy: `() => new CountBreaker({...})`.',
  );
  check.filter(
    'failureIf',
    options.failureIf,
    'Give a function that takes the error and says whether it counts.',
  );
  checkRule(options, check);
  const { mode, minimumCalls, openFactor, openJitter } = options;
  if (mode !== undefined && mode !== 'enforce' && mode !== 'shadow') {
    check.problem('mode', "to be 'enforce' or 'shadow'", mode, "The default is 'enforce'.");
  }
  return {
    failures: check.number('failures', options.failures, COUNT, breakerDefaults.failures),
    failureRate: share('failureRate', options.failureRate, check),
    slowCallRate: share('slowCallRate', options.slowCallRate, check),
    slowCallMs: check.duration('slowCall', options.slowCall, 1, undefined),
    window: resolveWindow(options.window, check),
    minimumCalls: check.number('minimumCalls', minimumCalls, COUNT, breakerDefaults.minimumCalls),
    strategy: options.strategy,
    successes: check.number('successes', options.successes, COUNT, breakerDefaults.successes),
    openForMs: check.duration('openFor', options.openFor, 1, breakerDefaults.openForMs),
    openFactor: check.number('openFactor', openFactor, { min: 1 }, breakerDefaults.openFactor),
    maxOpenForMs: check.duration('maxOpenFor', options.maxOpenFor, 1, breakerDefaults.maxOpenForMs),
    openJitter: check.number('openJitter', openJitter, { min: 0, max: 1 }, breakerDefaults.openJitter),
    halfOpenWaitMs: check.duration('halfOpenWait', options.halfOpenWait, 1, undefined),
    rampMs: check.duration('ramp', options.ramp, 1, undefined),
    shadow: mode === 'shadow',
    failureIf: options.failureIf,
  };
}

/** The options for other rules than the one that these options give. */
export function replacedRules({
  strategy,
  failures,
  failureRate,
  slowCallRate,
}: BreakerOptions): readonly string[] {
  if (strategy !== undefined) return RULE_KEYS;
  if (failures !== undefined) return ['strategy', ...RULE_KEYS];
  return failureRate === undefined && slowCallRate === undefined ? [] : ['strategy', 'failures'];
}

/** One rule decides: a strategy alone, or rates, or failures in a row. */
function checkRule(options: BreakerOptions, check: OptionChecker): void {
  const { strategy, failures, failureRate, slowCallRate, slowCall } = options;
  if (strategy !== undefined) {
    for (const key of RULE_KEYS) {
      if (options[key] === undefined) continue;
      check.problem(
        key,
        'to be left out beside `strategy`',
        options[key],
        'The strategy alone decides when the circuit opens.',
      );
    }
  }
  if (failures !== undefined && (failureRate !== undefined || slowCallRate !== undefined)) {
    check.problem(
      'failures',
      'to be left out beside a rate',
      failures,
      'Choose failures in a row, or a share of the calls.',
    );
  }
  if (slowCallRate !== undefined && slowCall === undefined) {
    check.problem(
      'slowCall',
      'to be a duration beside `slowCallRate`',
      slowCall,
      "Say what is slow: `slowCall: '2s'`.",
    );
  }
}

function share(key: string, value: number | undefined, check: OptionChecker): number | undefined {
  return value === undefined
    ? undefined
    : check.number(key, value, SHARE, 1, 'Write half of the calls as 0.5.');
}

function resolveWindow(
  window: number | Duration | undefined,
  check: OptionChecker,
): ResolvedBreaker['window'] {
  if (window === undefined) return { calls: breakerDefaults.window };
  if (typeof window === 'number') {
    return {
      calls: check.number('window', window, { ...COUNT, max: MAX_WINDOW_CALLS }, breakerDefaults.window),
    };
  }
  const ms = parseDuration(window);
  if (ms !== undefined && ms >= MIN_WINDOW_MS) return { ms };
  check.problem(
    'window',
    `to be a number of calls, or a duration of at least ${MIN_WINDOW_MS} ms`,
    window,
    "Use 100, or '10s'.",
  );
  return { calls: breakerDefaults.window };
}
