import type { PolicyName, RejectionReason } from './outcome.ts';

/** Which guard and which of its policies an error comes from. */
export interface ErrorSource {
  readonly guard?: string;
  readonly policy?: PolicyName;
  /** The operation of the call, where the error is about a run of it. */
  readonly operation?: string;
}

/** What every error of Keelson can carry. */
export interface KeelsonErrorOptions {
  readonly cause?: unknown;
  readonly hint?: string;
  readonly source?: ErrorSource;
}

/**
 * The base of Keelson's errors. Match on `code`: it is stable, and holds across two copies of the package where `instanceof` does not.
 */
export class KeelsonError extends Error {
  override readonly name: string = 'KeelsonError';
  /** Stable and unique for its meaning, such as `ERR_KEELSON_BREAKER_OPEN`. */
  readonly code: string;
  /** What to do about it. */
  readonly hint: string | undefined;
  /** Who threw it. */
  readonly source: ErrorSource;

  constructor(code: string, message: string, options: KeelsonErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.hint = options.hint;
    this.source = options.source ?? {};
  }
}

/** Options or variables that cannot be used. The message lists every problem with what was expected, what came, and the remedy. */
export class ConfigError extends KeelsonError {
  override readonly name: string = 'ConfigError';
  /** One line for each problem. */
  readonly problems: readonly string[];

  constructor(subject: string, problems: readonly string[]) {
    super('ERR_KEELSON_CONFIG', `${subject}: ${problems.join(' ')}`);
    this.problems = problems;
  }
}

/** A policy refused the call: the function was not called. */
export class RejectedError extends KeelsonError {
  override readonly name: string = 'RejectedError';
  readonly reason: RejectionReason;
  /** Milliseconds after which it is worth another try, where that is known. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: string,
    reason: RejectionReason,
    message: string,
    options: KeelsonErrorOptions & { readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(code, message, options);
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whether `error` is the rejection of a guard or of one of its policies; holds across two copies of the package. */
export function isRejection(error: unknown): error is RejectedError {
  return (
    error instanceof RejectedError ||
    (error instanceof Error && error.name === 'RejectedError' && 'reason' in error)
  );
}

const LOOP_DELAY = 'ERR_KEELSON_EVENT_LOOP_DELAY';

/** The function was called and did not settle in time. */
export class TimeoutError extends KeelsonError {
  override readonly name: string = 'TimeoutError';
  /** `attempt`: one call of the function took too long; `total`: all attempts and waits together did. */
  readonly scope: 'attempt' | 'total';
  readonly timeoutMs: number;
  /** Milliseconds by which the timer itself was late, where a blocked event loop is to blame; 0 otherwise. */
  readonly lateByMs: number;

  constructor(scope: 'attempt' | 'total', timeoutMs: number, source: ErrorSource = {}, lateByMs: number = 0) {
    const run = scope === 'attempt' ? 'attempt' : 'call';
    const what = ofGuard(
      source,
      `The ${run}${source.operation === undefined ? '' : ` of "${source.operation}"`}`,
    );
    const late = lateByMs > 0 ? ` The event loop was blocked for ${Math.round(lateByMs)} ms of it.` : '';
    super(
      lateByMs > 0 ? LOOP_DELAY : 'ERR_KEELSON_TIMEOUT',
      `${what} did not settle within ${Math.ceil(timeoutMs)} ms.${late}`,
      {
        source: { ...source, policy: 'timeout' },
        hint: timeoutHint(scope, lateByMs),
      },
    );
    this.scope = scope;
    this.timeoutMs = timeoutMs;
    this.lateByMs = lateByMs;
  }
}

/** Begins a sentence with the guard that it is about, if there is one. */
export function ofGuard({ guard }: ErrorSource, sentence: string): string {
  return guard === undefined
    ? sentence
    : `Guard "${guard}": ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
}

/**
 * Gives an error that a timer has made the stack of the code that runs now: where that is an async function, the engine knows who awaits it. So the error shows its
 * caller, and calls that end in time pay nothing for that.
 */
export function showCaller(error: object): void {
  Error.captureStackTrace(error, showCaller);
}

/** Whether `error` is a timeout for which a blocked event loop is to blame; holds across two copies of the package. */
export function isLoopDelay(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === LOOP_DELAY;
}

function timeoutHint(scope: 'attempt' | 'total', lateByMs: number): string {
  if (lateByMs > 0)
    return 'The process was too busy to read the answer: look at `nodejs.eventloop.delay`. It does not count against the dependency.';
  return scope === 'attempt'
    ? 'Pass the `signal` on, so that the work really stops; raise `timeout.attempt` if the dependency needs longer.'
    : 'Raise `timeout.total`, or allow fewer or shorter attempts within it.';
}

/** The function gave a value that the guard's `failedResult` takes as a failure. Filters see it; `run` gives the value. */
export class FailedResultError extends KeelsonError {
  override readonly name: string = 'FailedResultError';
  readonly value: unknown;

  /** @param judging what `failedResult` threw, in place of an answer, as `cause` */
  constructor(value: unknown, source: ErrorSource = {}, judging: { readonly cause?: unknown } = {}) {
    super('ERR_KEELSON_FAILED_RESULT', 'The function gave a value that counts as a failure.', {
      source,
      ...judging,
    });
    this.value = value;
  }
}

const requestIds = new WeakMap<object, string>();

/** Notes under which request id an error was thrown, without touching the error. */
export function setRequestId(error: unknown, requestId: string): void {
  if ((typeof error === 'object' && error !== null) || typeof error === 'function')
    requestIds.set(error, requestId);
}

/**
 * The request id of the guarded call that threw `error`.
 * @returns the id, such as `req_20261122_143025_a1b2c3d4e5f6a7b`; `undefined` for an error that no guard threw, and for thrown primitives
 */
export function requestIdOf(error: unknown): string | undefined {
  return typeof error === 'object' || typeof error === 'function'
    ? requestIds.get(error as object)
    : undefined;
}
