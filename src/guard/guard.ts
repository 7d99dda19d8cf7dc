import { ConfigError } from '../core/errors.ts';
import type { BreakerState, GuardEvent } from '../core/events.ts';
import type { CallOutcome, Outcome, PolicyName } from '../core/outcome.ts';
import type { RejectionKey } from '../core/stats.ts';
import { GuardCounters } from '../core/stats.ts';
import type { Breaker } from '../policies/breaker/index.ts';
import type { CallOptions, GuardedFunction } from './call.ts';
import { Call } from './call.ts';
import type { ResolvedGuard } from './options.ts';
import { Pipeline } from './pipeline.ts';
import type { Seats } from './reporter.ts';
import { Reporter } from './reporter.ts';

/** The numbers and states of a guard at one moment. */
export interface GuardSnapshot {
  readonly name: string;
  /** Calls that have ended, by outcome. */
  readonly calls: Readonly<Record<Outcome, number>>;
  /** Calls that have not. */
  readonly inFlight: number;
  /** Functions that still run although their call has ended. */
  readonly abandoned: number;
  /** Executions of guarded functions, by outcome. */
  readonly attempts: Readonly<Record<Exclude<Outcome, 'rejected'>, number>>;
  readonly retries: number;
  /** Retries that were not made, by reason. */
  readonly suppressed: Readonly<Record<string, number>>;
  /** Refusals, as `policy/reason`. */
  readonly rejections: Readonly<Record<string, number>>;
  readonly breaker?: {
    readonly state: BreakerState;
    /** Milliseconds until the open circuit lets a trial through. */
    readonly retryAfterMs: number | undefined;
    /** State changes, as `from/to`. */
    readonly transitions: Readonly<Record<string, number>>;
  };
  readonly bulkhead?: {
    readonly active: number;
    readonly limit: number;
    readonly queued: number;
    readonly queueLimit: number;
  };
  /** How often a listener of this guard has thrown. */
  readonly listenerFailures: number;
}

/** Guards the calls to one dependency. Made by `guard(name, options)`. */
export class Guard {
  readonly name: string;
  readonly #counters: GuardCounters;
  readonly #reporter: Reporter;
  readonly #pipeline: Pipeline;

  /** Use `guard(name, options)`, which checks the options and keeps one guard for each name. */
  constructor(name: string, options: ResolvedGuard, seats: Seats) {
    this.name = name;
    this.#counters = new GuardCounters(rejectionKeys(options), waitKeys(options));
    this.#reporter = new Reporter(name, this.#counters, seats);
    this.#pipeline = new Pipeline(options, this.#reporter, seats.clock, seats.random);
    const { breaker, bulkhead } = this.#pipeline;
    seats.signals.add({ name, counters: this.#counters, origins: ['live'], breaker, bulkhead });
  }

  /** The circuit breaker: its state, and the handles to force, disable and reset it. `undefined` for a guard without one. */
  get breaker(): Breaker | undefined {
    return this.#pipeline.breaker;
  }

  /**
   * Calls `fn` under the guard's policies.
   * @param operation what is done, as a name of few values: it names the span and labels the metrics (50 of them, then `_OTHER`)
   * @param fn the work; it should pass `signal` on
   * @returns what `fn` gives
   * @throws what the last execution of `fn` threw; {@link TimeoutError} where it took too long; {@link RejectedError} where it never ran;
   *   the reason of the caller's signal where that aborted; {@link ConfigError} for arguments of the wrong type
   */
  run<T>(operation: string, fn: GuardedFunction<T>, options?: CallOptions): Promise<T> {
    const problem = argumentProblem(this.name, operation, fn);
    if (problem) return Promise.reject(problem);
    return this.#launch(this.#newCall(operation, fn, options));
  }

  /**
   * Calls `fn` as {@link run} does, and tells everything about it instead of throwing.
   * @throws {ConfigError} for arguments of the wrong type; nothing else
   */
  async outcome<T>(
    operation: string,
    fn: GuardedFunction<T>,
    options?: CallOptions,
  ): Promise<CallOutcome<T>> {
    const problem = argumentProblem(this.name, operation, fn);
    if (problem) throw problem;
    const call = this.#newCall(operation, fn, options);
    try {
      const value = await this.#launch(call);
      return { ...account(call), value };
    } catch (error) {
      return { ...account(call), error };
    }
  }

  /**
   * Calls `listener` for everything that happens in the guard. What it throws is counted and changes nothing.
   * @returns a function that removes the listener
   */
  on(listener: (event: GuardEvent) => void): () => void {
    return this.#reporter.on(listener);
  }

  /** A copy of the guard's numbers and states. */
  snapshot(): GuardSnapshot {
    const counters = this.#counters;
    const { breaker, bulkhead } = this.#pipeline;
    return {
      name: this.name,
      calls: { ...counters.calls },
      inFlight: counters.inFlight,
      abandoned: counters.abandoned,
      attempts: { ...counters.attempts },
      retries: counters.retries,
      suppressed: { ...counters.suppressed },
      rejections: { ...counters.rejections },
      ...(breaker
        ? {
            breaker: {
              state: breaker.state,
              retryAfterMs: breaker.retryAfterMs,
              transitions: { ...counters.transitions },
            },
          }
        : {}),
      ...(bulkhead
        ? {
            bulkhead: {
              active: bulkhead.active,
              limit: bulkhead.limit,
              queued: bulkhead.queued,
              queueLimit: bulkhead.queueLimit,
            },
          }
        : {}),
      listenerFailures: this.#reporter.listenerFailures,
    };
  }

  #newCall<T>(operation: string, fn: GuardedFunction<T>, options: CallOptions | undefined): Call<T> {
    const reporter = this.#reporter;
    return new Call(this.name, reporter.operation(operation), fn, options, reporter.makeRequestId);
  }

  #launch<T>(call: Call<T>): Promise<T> {
    const span = this.#reporter.startSpan(call.operation, call);
    if (!span) return this.#pipeline.run(call);
    call.span = span;
    return span.run(() => this.#pipeline.run(call));
  }
}

/** The account of a call that has ended. */
function account<T>(call: Call<T>): Omit<CallOutcome<T>, 'value' | 'error'> {
  return {
    outcome: call.outcome ?? 'failure',
    origin: 'live',
    ageMs: 0,
    attempts: call.attempts,
    ...(call.suppressed ? { suppressed: call.suppressed } : {}),
    durationMs: call.durationMs,
    requestId: call.requestId,
  };
}

function argumentProblem(guard: string, operation: unknown, fn: unknown): ConfigError | undefined {
  const problems: string[] = [];
  if (typeof operation !== 'string' || operation === '') {
    problems.push(
      `Expected \`operation\` to be a name, got ${JSON.stringify(operation) ?? String(operation)}. Say what is done: 'charge'.`,
    );
  }
  if (typeof fn !== 'function') {
    problems.push(
      `Expected \`fn\` to be a function, got ${typeof fn}. Wrap the call: \`({ signal }) => client.charge({ signal })\`.`,
    );
  }
  return problems.length > 0 ? new ConfigError(`guard "${guard}"`, problems) : undefined;
}

function rejectionKeys({ breaker, bulkhead, timeout }: ResolvedGuard): RejectionKey[] {
  const keys: RejectionKey[] = [];
  if (breaker) keys.push('breaker/open', 'breaker/half_open', 'breaker/forced_open');
  if (bulkhead) keys.push('bulkhead/full');
  if (bulkhead?.queueTimeoutMs !== undefined) keys.push('bulkhead/queue_timeout');
  if (timeout.totalMs !== undefined) keys.push('timeout/deadline');
  return keys;
}

function waitKeys({ retry, breaker, bulkhead }: ResolvedGuard): PolicyName[] {
  const keys: PolicyName[] = [];
  if (retry) keys.push('retry');
  if (breaker?.halfOpenWaitMs !== undefined) keys.push('breaker');
  if (bulkhead && bulkhead.queue > 0) keys.push('bulkhead');
  return keys;
}
