import type { FailedResultError, RejectedError } from '../../core/errors.ts';
import { isRejection, TimeoutError } from '../../core/errors.ts';
import type { Execution, Interruptible, LateTaker } from '../../core/execution.ts';
import type { CallAccount, Origin, Outcome, Suppression } from '../../core/outcome.ts';
import type { Clock } from '../../core/time/clock.ts';
import { DeadlineNode } from '../../core/time/deadline-node.ts';
import { loopDelayMs } from '../../core/time/deadlines.ts';
import type { AttemptRequests, RetrySchedule } from '../../policies/retry/index.ts';
import type { CallSpan } from '../../signals/index.ts';
import { isRequestId } from '../../signals/index.ts';
import type { AmbientExecution } from './ambient.ts';
import { executionHere, mayRepeat, notOver } from './ambient.ts';
import type { CallContext } from './call-context.ts';
import type { Discards, Dispose } from './discards.ts';

/** What a caller may say about one call. */
export interface CallOptions {
  /** Ends the call when it aborts; `run` then throws the signal's reason. `null` is none, as for `fetch`. */
  readonly signal?: AbortSignal | null | undefined;
  /** An id from outside, such as that of an incoming request: 1 to 128 letters, digits, `_ . : -`. Another is made for any that is not. */
  readonly requestId?: string | undefined;
  /**
   * Whether the work may be done twice. `false`: it is retried only if nothing was sent. That is so if the function threw an error that
   * `notSent` marked, or if its one HTTP request never got a connection. It holds for the guards within as well. @defaultValue true; that of the
   * call around this one, if there is one
   */
  readonly idempotent?: boolean | undefined;
  /**
   * Whether the call belongs to the guarded call within which it is made: it then has no more time than that, ends when that ends, and leaves retries
   * to it. `false` is for work that several callers share. @defaultValue the `inherit` of the guard, which is true unless it is set
   */
  readonly inherit?: boolean | undefined;
  /** Caches the value under guard, operation and this key. Ignored by a guard without a cache. @defaultValue not cached */
  readonly cacheKey?: string | undefined;
  /** As `GuardOptions.dispose`, for this call alone. @defaultValue that of the guard */
  readonly dispose?: ((value: never) => unknown) | undefined;
}

/** A function that a guard calls. */
export type GuardedFunction<T> = (context: CallContext) => PromiseLike<T> | T;

/** How a run of the function can end without a value. */
export type FailedOutcome = Exclude<Outcome, 'rejected' | 'success'>;

/** How a call can end without a value. */
export type UnsuccessfulOutcome = Exclude<Outcome, 'success'>;

/** What ended a call from outside. */
export interface Interruption {
  readonly by: 'deadline' | 'caller';
  readonly error: unknown;
}

/** One guarded call on its way: what it is, how far it has come, and what can stop it. */
export class Call<T> extends DeadlineNode implements LateTaker {
  /** The operation as telemetry may name it. */
  readonly operation: string;
  readonly fn: GuardedFunction<T>;
  readonly signal: AbortSignal | undefined;
  readonly idempotent: boolean;
  readonly dispose: Dispose | undefined;
  /** What frees the values that the caller does not get. */
  discards: Discards | undefined = undefined;
  /** Whether the call belongs to the one around it, and the calls within it do. */
  readonly inherits: boolean;
  /** The execution of another guard in which this call was made, if it belongs to that. */
  readonly ambient: AmbientExecution | undefined;
  startedAt: number = Number.NaN;
  /** The limit for the whole call in milliseconds; NaN for a call without one. */
  totalMs: number = Number.NaN;
  span: CallSpan | undefined = undefined;
  schedule: RetrySchedule | undefined = undefined;
  /** Whether `notSent` marked the error of the last run, if the call is not idempotent. */
  isMarkedUnsent = false;
  /** What was seen of the requests of the last run, if the call is not idempotent. */
  requests: AttemptRequests | undefined = undefined;

  /** Whether the rate limit keeps its first token after a pause for the next attempt of this call. */
  keepsToken = false;

  /** How often the function has been called. */
  attempts = 0;
  /** How the last run ended. */
  lastOutcome: FailedOutcome | undefined = undefined;
  lastError: unknown = undefined;

  /** The refusal of one of the guard's own policies. */
  refusal: RejectedError | undefined = undefined;
  suppressed: Suppression | undefined = undefined;
  interruption: Interruption | undefined = undefined;
  /** What the call is busy with, if that can be interrupted. */
  stage: Interruptible | undefined = undefined;

  /** How it ended, once it has. */
  outcome: Outcome | undefined = undefined;
  origin: Origin = 'live';
  ageMs = 0;
  durationMs: number = Number.NaN;
  /** The error behind a value that stood in. */
  underlying: unknown = undefined;
  /** The error that this call made of a value that counts as a failure. */
  failedResult: FailedResultError | undefined = undefined;
  /** The call that this one makes to load the value into the cache. */
  loader: Call<T> | undefined = undefined;
  /** The call whose load gave the answer: its own loader, or that of the call that it joined. */
  loadedBy: { readonly outcome: Outcome | undefined } | undefined = undefined;
  /** Whether its caller has gone while a load that others wait for goes on. */
  isLeft = false;

  readonly #guard: string;
  readonly #makeRequestId: () => string;
  #requestId: string | undefined;
  #onAbort: (() => void) | undefined = undefined;
  #leaveAmbient: (() => void) | undefined = undefined;

  constructor(
    guard: string,
    operation: string,
    fn: GuardedFunction<T>,
    options: CallOptions | undefined,
    makeRequestId: () => string,
    inherits: boolean = true,
  ) {
    super();
    this.#guard = guard;
    this.operation = operation;
    this.fn = fn;
    this.signal = options?.signal ?? undefined;
    this.dispose = options?.dispose;
    this.inherits = options?.inherit ?? inherits;
    const here = this.inherits ? executionHere() : undefined;
    this.idempotent = options?.idempotent ?? mayRepeat(here);
    this.ambient = notOver(here);
    this.#makeRequestId = makeRequestId;
    this.#requestId = isRequestId(options?.requestId) ? options.requestId : undefined;
  }

  /** Made when somebody asks for it. */
  get requestId(): string {
    this.#requestId ??= this.#makeRequestId();
    return this.#requestId;
  }

  /** Listens to the caller's signal, and to the execution around the call, until {@link unfollow}. */
  follow(): void {
    const { signal, ambient } = this;
    if (ambient)
      this.#leaveAmbient = ambient.onInterrupt((error) => this.#interrupt({ by: 'caller', error }));
    if (!signal) return;
    if (signal.aborted) {
      this.#interrupt({ by: 'caller', error: signal.reason });
      return;
    }
    this.#onAbort = () => this.#interrupt({ by: 'caller', error: signal.reason });
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  unfollow(): void {
    if (this.#onAbort) this.signal?.removeEventListener('abort', this.#onAbort);
    this.#onAbort = undefined;
    this.#leaveAmbient?.();
  }

  /** When the call is over at the latest, on `clock`: by its own limit, or by that of the execution around it; `Infinity` without one. */
  deadlineAt(clock: Clock): number {
    const own = this.deadlineList ? this.dueAt : Number.POSITIVE_INFINITY;
    const outer = this.ambient?.clock === clock ? this.ambient.deadlineAt : Number.POSITIVE_INFINITY;
    return Math.min(own, outer);
  }

  /** Milliseconds until then; `undefined` without a limit. */
  remainingMs(clock: Clock, now: number): number | undefined {
    const deadlineAt = this.deadlineAt(clock);
    return deadlineAt === Number.POSITIVE_INFINITY ? undefined : deadlineAt - now;
  }

  /** A run that was interrupted has settled after all: nobody gets what came of it. */
  late(result: unknown, succeeded: boolean): void {
    if (succeeded) void this.discards?.value(result, this.dispose);
    else void this.discards?.error(result, this.dispose);
  }

  /** The total time is over. */
  expire(lateMs: number): void {
    const source = { guard: this.#guard, operation: this.operation };
    const error = new TimeoutError('total', this.totalMs, source, loopDelayMs(lateMs));
    this.#interrupt({ by: 'deadline', error });
  }

  /** The call is busy with `stage` from now on; one that was interrupted meanwhile ends it at once. */
  enter(stage: Interruptible): void {
    this.stage = stage;
    if (this.interruption) stage.interrupt(this.interruption.error);
  }

  /**
   * Decides how the call ended, if it has no value. Nothing else decides that. In this order: the caller has gone; the function ran, and how its
   * last run ended counts, whatever refused to run it once more; another call loaded for this one; the error says whether a policy refused.
   * @param error what came out of the layer around the function
   */
  conclude(error: unknown): UnsuccessfulOutcome {
    const known = unsuccessful(this.outcome);
    if (known) return known;
    const isCancelled = this.isLeft || this.interruption?.by === 'caller';
    const outcome = isCancelled
      ? 'cancelled'
      : (this.lastOutcome ?? unsuccessful(this.loadedBy?.outcome) ?? outcomeOfError(error));
    this.outcome = outcome;
    return outcome;
  }

  #interrupt(interruption: Interruption): void {
    if (this.interruption) return;
    this.interruption = interruption;
    this.stage?.interrupt(interruption.error);
  }
}

function unsuccessful(outcome: Outcome | undefined): UnsuccessfulOutcome | undefined {
  return outcome === 'success' ? undefined : outcome;
}

/** How a call ended, as its error tells it: for one whose function did not run. */
function outcomeOfError(error: unknown): UnsuccessfulOutcome {
  if (isRejection(error)) return 'rejected';
  return error instanceof TimeoutError ? 'timeout' : 'failure';
}

/** The {@link CallContext} of one execution; the signal and the id are made only if they are asked for. */
export class ExecutionContext implements CallContext {
  readonly attempt: number;
  readonly #call: { readonly requestId: string };
  readonly #execution: { readonly signal: AbortSignal };

  constructor(
    attempt: number,
    call: { readonly requestId: string },
    execution: { readonly signal: AbortSignal },
  ) {
    this.attempt = attempt;
    this.#call = call;
    this.#execution = execution;
  }

  get signal(): AbortSignal {
    return this.#execution.signal;
  }

  get requestId(): string {
    return this.#call.requestId;
  }
}

/** What runs the executions of a guard. */
export interface FrameOwner {
  /** The bulkhead of which each execution holds a slot. */
  readonly slots: object | undefined;
  /** Whether the call would have another attempt. */
  wouldRetry<T>(call: Call<T>, error: unknown): boolean;
}

/** One execution of a guard as guards inside of it see it. */
export class Frame<T> implements AmbientExecution {
  readonly clock: Clock;
  readonly context: CallContext;
  readonly #call: Call<T>;
  readonly #execution: Execution<T>;
  readonly #owner: FrameOwner;

  constructor(clock: Clock, call: Call<T>, execution: Execution<T>, owner: FrameOwner, context: CallContext) {
    this.clock = clock;
    this.context = context;
    this.#call = call;
    this.#execution = execution;
    this.#owner = owner;
  }

  wouldRetry(error: unknown): boolean {
    return this.#owner.wouldRetry(this.#call, error) || (this.outer?.wouldRetry(error) ?? false);
  }

  get idempotent(): boolean {
    return this.#call.idempotent;
  }

  get isOver(): boolean {
    return this.#execution.interrupted || this.#execution.isSettled;
  }

  get isSettled(): boolean {
    return this.#execution.isSettled;
  }

  get slots(): object | undefined {
    return this.#owner.slots;
  }

  get outer(): AmbientExecution | undefined {
    return this.#call.ambient;
  }

  get deadlineAt(): number {
    const { deadlineList, dueAt } = this.#execution;
    const attempt = deadlineList ? dueAt : Number.POSITIVE_INFINITY;
    return Math.min(attempt, this.#call.deadlineAt(this.clock));
  }

  onInterrupt(listener: (error: unknown) => void): () => void {
    return this.#execution.onInterrupt(listener);
  }
}

/** The account of a call that has ended. */
export function accountOf<T>(call: Call<T>): CallAccount {
  return {
    origin: call.origin,
    ageMs: call.ageMs,
    attempts: call.attempts,
    ...(call.suppressed ? { suppressed: call.suppressed } : {}),
    durationMs: call.durationMs,
    requestId: call.requestId,
  };
}
