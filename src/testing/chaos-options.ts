import { KeelsonError } from '../core/errors.ts';
import { OptionChecker } from '../core/options.ts';
import type { Random } from '../core/random.ts';
import { systemRandom } from '../core/random.ts';
import type { Clock } from '../core/time/clock.ts';
import { systemClock } from '../core/time/clock.ts';
import type { Duration } from '../core/time/duration.ts';

/** Everything that can be injected, in the order in which counts are shown. */
export const CHAOS_KINDS = ['latency', 'fault', 'outcome'] as const;

/** What can be injected. */
export type ChaosKind = (typeof CHAOS_KINDS)[number];

/**
 * When chaos is injected: `false` never, whatever a request asks for; `'baggage'` only into requests whose OpenTelemetry baggage asks for it;
 * `true` into all calls by the rates, where baggage has the last word.
 */
export type ChaosSwitch = boolean | 'baggage';

/** Errors thrown in place of calling the function. */
export interface FaultOptions {
  /** The share of calls: 0 to 1. @defaultValue 0 */
  readonly rate?: number;
  /** Makes what is thrown. @defaultValue a {@link ChaosError} */
  readonly error?: () => unknown;
}

/** Time that passes before the function is called. */
export interface LatencyOptions {
  /** The share of calls: 0 to 1. @defaultValue 0 */
  readonly rate?: number;
  /** The shortest delay. @defaultValue 0 */
  readonly min?: Duration;
  /** The longest delay; those between are equally likely. */
  readonly max: Duration;
}

/** Values given in place of calling the function. */
export interface OutcomeOptions {
  /** The share of calls: 0 to 1. @defaultValue 0 */
  readonly rate?: number;
  /** Makes the value, such as `() => new Response(null, { status: 503 })`. */
  readonly value: () => unknown;
}

/** What is injected, how often, and when at all. */
export interface ChaosOptions {
  /** @defaultValue false */
  readonly enabled?: ChaosSwitch;
  readonly faults?: FaultOptions;
  readonly latency?: LatencyOptions;
  readonly outcomes?: OutcomeOptions;
  /** Without it, chaos refuses to be enabled while `NODE_ENV` is `production`. @defaultValue false */
  readonly allowInProduction?: boolean;
  /** `seededRandom(seed)` makes every run the same. @defaultValue `Math.random` */
  readonly random?: Random;
  /** @defaultValue the clock of the machine */
  readonly clock?: Clock;
}

/** {@link ChaosOptions} with every default filled in. */
export interface ResolvedChaos {
  readonly enabled: ChaosSwitch;
  readonly fault: { readonly rate: number; readonly error: () => unknown } | undefined;
  readonly latency: { readonly rate: number; readonly minMs: number; readonly maxMs: number } | undefined;
  readonly outcome: { readonly rate: number; readonly value: () => unknown } | undefined;
  readonly allowInProduction: boolean;
  readonly random: Random;
  readonly clock: Clock;
}

/** The error that chaos throws if `faults.error` makes no other (`ERR_KEELSON_CHAOS`). */
export class ChaosError extends KeelsonError {
  override readonly name: string = 'ChaosError';

  constructor() {
    super('ERR_KEELSON_CHAOS', 'A fault that chaos injected.', {
      hint: 'It was asked for: by `faults.rate`, or by the baggage `keelson.chaos=fault` of the request.',
    });
  }
}

const KEYS = ['enabled', 'faults', 'latency', 'outcomes', 'allowInProduction', 'random', 'clock'] as const;
const SHARE = { min: 0, max: 1 };

/**
 * Checks the options and fills in the defaults.
 * @throws {ConfigError} that lists every problem
 */
export function resolveChaos(options: ChaosOptions): ResolvedChaos {
  const check = new OptionChecker('chaos');
  check.keys(options, KEYS);
  const { enabled = false, faults, latency, outcomes, random = systemRandom, clock = systemClock } = options;
  checkSwitch(enabled, check);
  if (!faults && !latency && !outcomes) {
    const remedy = 'Say what to inject: `faults: { rate: 0.05 }`, `latency` or `outcomes`.';
    check.problem('faults', 'or `latency` or `outcomes` to be given', faults, remedy);
  }
  check.function(
    'random',
    random,
    'Give a function that gives numbers from 0 to 1, such as `seededRandom(1)`.',
  );
  const resolved = {
    enabled,
    fault: faults && resolveFaults(faults, check.under('faults')),
    latency: latency && resolveLatency(latency, check.under('latency')),
    outcome: outcomes && resolveOutcomes(outcomes, check.under('outcomes')),
    allowInProduction: check.boolean('allowInProduction', options.allowInProduction, false),
    random,
    clock,
  };
  check.done();
  return resolved;
}

/** Reports what is no {@link ChaosSwitch}. */
export function checkSwitch(enabled: unknown, check: OptionChecker): void {
  if (typeof enabled === 'boolean' || enabled === 'baggage') return;
  check.problem('enabled', "to be true, false or 'baggage'", enabled, 'The default is false.');
}

function resolveFaults(options: FaultOptions, check: OptionChecker): ResolvedChaos['fault'] {
  check.keys(options, ['rate', 'error']);
  check.function('error', options.error, 'Give a function that makes the error: `() => new Error("down")`.');
  return {
    rate: check.number('rate', options.rate, SHARE, 0),
    error: options.error ?? (() => new ChaosError()),
  };
}

function resolveLatency(options: LatencyOptions, check: OptionChecker): ResolvedChaos['latency'] {
  check.keys(options, ['rate', 'min', 'max']);
  const minMs = check.duration('min', options.min, 0, 0);
  if (options.max === undefined) {
    check.problem('max', 'to be a duration', options.max, "Say how long at most: `max: '2s'`.");
  }
  const maxMs = check.duration('max', options.max, 0, minMs);
  if (maxMs < minMs) check.problem('max', 'to be at least `min`', options.max, 'Exchange the two.');
  return { rate: check.number('rate', options.rate, SHARE, 0), minMs, maxMs };
}

function resolveOutcomes(options: OutcomeOptions, check: OptionChecker): ResolvedChaos['outcome'] {
  check.keys(options, ['rate', 'value']);
  const { rate, value } = options;
  if (typeof value !== 'function') {
    check.problem('value', 'to be a function', value, 'Give a function that makes the value: `() => null`.');
  }
  return { rate: check.number('rate', rate, SHARE, 0), value };
}
