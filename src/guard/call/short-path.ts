import { isThenable } from '../../core/execution.ts';
import type { Origin } from '../../core/outcome.ts';
import type { Breaker } from '../../policies/breaker/index.ts';
import { breakerFacts } from '../../policies/breaker/index.ts';
import { isRequestId } from '../../signals/index.ts';
import type { ResolvedGuard } from '../options/options.ts';
import { policiesIn } from '../options/policies.ts';
import { ambientExecution } from './ambient.ts';
import type { CallContext } from './call-context.ts';
import type { CallOptions, GuardedFunction } from './call.ts';
import type { Pipeline, RunningCalls } from './pipeline.ts';
import type { Reporter, SettledCall } from './reporter.ts';

/**
 * The way of a call that waits for nothing, that nothing can interrupt and that nobody watches, through a guard that has a breaker at most:
 * one object for each, and no reading of the clock. Everything else takes the pipeline, with the same results.
 */
export class ShortPath {
  readonly #breaker: Breaker | undefined;
  readonly #calls: RunningCalls;
  readonly #reporter: Reporter;
  /** Keeps the shape of calls known to V8 over collections that find no call; see `Attempts.shapes`. */
  readonly shape: unknown;

  constructor({ mechanisms, calls }: Pipeline, reporter: Reporter) {
    this.#breaker = mechanisms.breaker;
    this.#calls = calls;
    this.#reporter = reporter;
    this.shape = new ShortCall(reporter, '', undefined);
  }

  /** @returns what `fn` gives, in the end; `undefined` for a call that has to take the pipeline */
  run<T>(
    operation: string,
    fn: GuardedFunction<T>,
    options: CallOptions | undefined,
  ): Promise<T> | undefined {
    if (options?.signal || options?.idempotent === false) return undefined;
    if (!this.#reporter.isUnwatched || ambientExecution()) return undefined;
    const permit = this.#breaker ? this.#breaker.permitAtRest() : 0;
    if (permit === undefined) return undefined;
    const call = new ShortCall(this.#reporter, operation, options?.requestId);
    this.#reporter.counters.inFlight += 1;
    this.#calls.running += 1;
    let promise: Promise<T>;
    try {
      const result = fn(call);
      if (!isThenable(result)) return Promise.resolve(this.#succeeded(call, permit, result));
      promise = Promise.resolve(result);
    } catch (error) {
      return Promise.reject(this.#failed(call, permit, error));
    }
    return promise.then(
      (value) => this.#succeeded(call, permit, value),
      (error) => {
        throw this.#failed(call, permit, error);
      },
    );
  }

  #succeeded<T>(call: ShortCall, permit: number, value: T): T {
    this.#calls.running -= 1;
    this.#reporter.counters.attempts.success += 1;
    this.#breaker?.report(permit, 'success');
    this.#reporter.settleUntimed(call, 'success', undefined);
    return value;
  }

  #failed(call: ShortCall, permit: number, error: unknown): unknown {
    this.#calls.running -= 1;
    this.#reporter.counters.attempts.failure += 1;
    const breaker = this.#breaker;
    this.#reporter.blamed = error;
    breaker?.report(permit, breaker.resultOf(error));
    this.#reporter.blamed = undefined;
    this.#reporter.settleUntimed(call, 'failure', error);
    return error;
  }
}

/** The short path of a guard with these options; `undefined` where a policy may interrupt, delay, repeat or answer a call. */
export function shortPathFor(
  options: ResolvedGuard,
  pipeline: Pipeline,
  reporter: Reporter,
): ShortPath | undefined {
  const isShort =
    policiesIn(options).every(({ facts }) => facts === breakerFacts) &&
    options.failedResult === undefined &&
    options.breaker?.slowCallMs === undefined;
  return isShort ? new ShortPath(pipeline, reporter) : undefined;
}

/** A call on the short path: what its function is given, and what is told of it. */
class ShortCall implements CallContext, SettledCall {
  readonly #reporter: Reporter;
  readonly #operation: string;
  #requestId: string | undefined;
  #controller: AbortController | undefined = undefined;

  constructor(reporter: Reporter, operation: string, requestId: string | undefined) {
    this.#reporter = reporter;
    this.#operation = operation;
    this.#requestId = requestId;
  }

  get attempt(): number {
    return 0;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  get requestId(): string {
    if (!isRequestId(this.#requestId)) this.#requestId = this.#reporter.makeRequestId();
    return this.#requestId;
  }

  get operation(): string {
    return this.#reporter.operation(this.#operation);
  }

  get attempts(): number {
    return 1;
  }

  get origin(): Origin {
    return 'live';
  }

  get durationMs(): number {
    return Number.NaN;
  }
}
