import { propagation, trace } from '@opentelemetry/api';
import type { IDefaultPolicyContext, IPolicy } from 'cockatiel';
import { ConfigError } from '../core/errors.ts';
import { OptionChecker } from '../core/options.ts';
import { Wait } from '../core/time/wait.ts';
import { PolicyEvents } from '../policies/policy-events.ts';
import { onAbort } from '../policies/standalone.ts';
import type { ChaosKind, ChaosOptions, ChaosSwitch, ResolvedChaos } from './chaos-options.ts';
import { CHAOS_KINDS, checkSwitch, resolveChaos } from './chaos-options.ts';
import { ATTR_CHAOS_KIND, ATTR_CHAOS_LATENCY, BAGGAGE_CHAOS, CHAOS_INJECTED } from './semconv.ts';

/** How many calls came by, and what was injected into them. */
export type ChaosCounts = Record<ChaosKind, number> & { calls: number };

/** Injects chaos into functions: call it with one, or use it as a policy in cockatiel's `wrap`. */
export interface Chaos extends IPolicy {
  /**
   * Gives a function that does what `fn` does, but for the chaos. Where its first argument has a `signal`, as in `guard.run`, an injected
   * latency ends when that aborts.
   */
  <A extends unknown[], T>(fn: (...args: A) => PromiseLike<T> | T): (...args: A) => Promise<T>;
  /** What happened so far. */
  readonly counts: Readonly<ChaosCounts>;
  /** When chaos is injected, as of now. */
  mode(): ChaosSwitch;
  /**
   * Switches it on.
   * @throws {ConfigError} in production, unless `allowInProduction` is set
   */
  enable(mode?: true | 'baggage'): void;
  /** Switches it off; delays that are on their way come to their end. */
  disable(): void;
}

/** What happens to one call. */
interface Plan {
  readonly latencyMs: number | undefined;
  readonly fault: ResolvedChaos['fault'];
  readonly outcome: ResolvedChaos['outcome'];
}

const NOTHING: Plan = { latencyMs: undefined, fault: undefined, outcome: undefined };

/**
 * Makes dependencies fail, slow or strange, to see what a service makes of it. Off unless enabled. The chances of all calls are drawn in the
 * order in which they come, always as many for each, so that the same seed gives the same chaos. A call may get a latency, and then a fault or
 * an outcome: the fault goes first. Every injection is counted, and is an event on the active span.
 *
 * A request chooses for itself with the OpenTelemetry baggage `keelson.chaos`: `fault`, `latency` or `outcome` injects that in any case, if it is
 * configured; `off` spares the request.
 * @throws {ConfigError} for options that cannot be used, and for chaos in production that is not allowed there
 */
export function chaos(options: ChaosOptions): Chaos {
  const resolved = resolveChaos(options);
  const { clock } = resolved;
  const events = new PolicyEvents(clock);
  const counts: ChaosCounts = { calls: 0, latency: 0, fault: 0, outcome: 0 };
  let mode: ChaosSwitch = false;

  function enable(next: ChaosSwitch = true): void {
    const check = new OptionChecker('chaos');
    checkSwitch(next, check);
    check.done();
    if (next !== false && !resolved.allowInProduction && process.env['NODE_ENV'] === 'production') {
      throw new ConfigError('chaos', [
        'Expected `enabled` to be false while NODE_ENV is production, got chaos. Set `allowInProduction: true` if users may feel it.',
      ]);
    }
    mode = next;
  }

  async function run<T>(call: () => PromiseLike<T> | T, signalOf: () => AbortSignal | undefined): Promise<T> {
    counts.calls += 1;
    const plan = planFor(resolved, mode);
    if (plan.latencyMs !== undefined) {
      injected(counts, 'latency', { [ATTR_CHAOS_LATENCY]: plan.latencyMs / 1_000 });
      const signal = signalOf();
      signal?.throwIfAborted();
      const wait = new Wait(clock, plan.latencyMs);
      const stopListening = onAbort(signal, (reason) => wait.interrupt(reason));
      await wait.granted.finally(stopListening);
    }
    if (plan.fault) {
      injected(counts, 'fault');
      throw plan.fault.error();
    }
    if (plan.outcome) {
      injected(counts, 'outcome');
      return plan.outcome.value() as T;
    }
    return call();
  }

  enable(resolved.enabled);
  const wrapping =
    <A extends unknown[], T>(fn: (...args: A) => PromiseLike<T> | T) =>
    (...args: A): Promise<T> =>
      run(
        () => fn(...args),
        () => signalIn(args[0]),
      );
  return Object.assign(wrapping, {
    _altReturn: undefined as never,
    onSuccess: events.onSuccess,
    onFailure: events.onFailure,
    counts,
    mode: () => mode,
    enable,
    disable: () => enable(false),
    execute: <T>(
      fn: (context: IDefaultPolicyContext) => PromiseLike<T> | T,
      signal?: AbortSignal,
    ): Promise<T> =>
      events.watch(
        () =>
          run(
            () => fn({ signal: signal ?? new AbortController().signal }),
            () => signal,
          ),
        () => false,
      ),
  });
}

function planFor(options: ResolvedChaos, mode: ChaosSwitch): Plan {
  if (mode === false) return NOTHING;
  const { random, fault, latency, outcome } = options;
  const chances = [random(), random(), random(), random()] as const;
  const asked = askedInBaggage();
  if (asked === 'off') return NOTHING;
  const hits = (kind: ChaosKind, rate: number, chance: number): boolean =>
    asked === undefined ? mode === true && chance < rate : asked === kind;
  const isFault = fault !== undefined && hits('fault', fault.rate, chances[2]);
  return {
    latencyMs:
      latency && hits('latency', latency.rate, chances[0])
        ? latency.minMs + chances[1] * (latency.maxMs - latency.minMs)
        : undefined,
    fault: isFault ? fault : undefined,
    outcome: outcome && !isFault && hits('outcome', outcome.rate, chances[3]) ? outcome : undefined,
  };
}

/** What the request asks for; anything but the four words is as if it asked for nothing. */
function askedInBaggage(): ChaosKind | 'off' | undefined {
  const value = propagation.getActiveBaggage()?.getEntry(BAGGAGE_CHAOS)?.value;
  return value === 'off' ? value : CHAOS_KINDS.find((kind) => kind === value);
}

function injected(counts: ChaosCounts, kind: ChaosKind, attributes: Record<string, number> = {}): void {
  counts[kind] += 1;
  try {
    const span = trace.getActiveSpan();
    span?.setAttribute(CHAOS_INJECTED, true);
    span?.addEvent(CHAOS_INJECTED, { [ATTR_CHAOS_KIND]: kind, ...attributes });
  } catch {
    // Telemetry that fails is no chaos that was asked for.
  }
}

/** The signal of what a guard, or cockatiel, gives to a function. */
function signalIn(context: unknown): AbortSignal | undefined {
  if (typeof context !== 'object' || context === null) return undefined;
  const signal: unknown = Reflect.get(context, 'signal');
  return signal instanceof AbortSignal ? signal : undefined;
}
