import { DeadlineNode } from './time/deadline-node.ts';

/** A stage of a call that can be ended from outside. */
export interface Interruptible {
  /** Ends the stage with `error`; does nothing once it is over. */
  interrupt(error: unknown): void;
}

/** Counts functions that still run although nobody waits for them any more. */
export interface AbandonedCounter {
  abandoned: number;
}

/** Takes what a function gives or throws after nobody waits for it any more. */
export interface LateTaker {
  late(result: unknown, succeeded: boolean): void;
}

/**
 * One run of a function that can be interrupted: the caller gets its answer at once, the function is told through its signal and, where it
 * does not listen, counted as abandoned until it settles. The `AbortController` is made only if the function asks for the signal.
 */
export class Execution<T> extends DeadlineNode implements Interruptible {
  /** Whether the function was interrupted rather than left to settle. */
  interrupted = false;

  readonly #counter: AbandonedCounter;
  readonly #onExpire: ((lateMs: number, operation: string) => unknown) | undefined;
  readonly #operation: string;
  readonly #late: LateTaker | undefined;
  #listeners: Set<(error: unknown) => void> | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #reason: unknown = undefined;
  #pending = false;
  #over = false;
  #resolve: ((value: T) => void) | undefined = undefined;
  #reject: ((error: unknown) => void) | undefined = undefined;

  /**
   * @param onExpire gives the error for a run whose deadline has passed
   * @param operation what the function does, for that error
   * @param late takes the result of a run that was interrupted
   */
  constructor(
    counter: AbandonedCounter,
    onExpire?: (lateMs: number, operation: string) => unknown,
    operation: string = '',
    late?: LateTaker,
  ) {
    super();
    this.#counter = counter;
    this.#onExpire = onExpire;
    this.#operation = operation;
    this.#late = late;
  }

  /** Whether the function has asked for its signal. */
  get isSignalTaken(): boolean {
    return this.#controller !== undefined;
  }

  /** Whether the function has settled, be it after its interruption. */
  get isSettled(): boolean {
    return this.#over;
  }

  /** Calls `listener` with the reason when the run is interrupted; at once where it has been. @returns a function that removes it */
  onInterrupt(listener: (error: unknown) => void): () => void {
    if (this.interrupted) {
      listener(this.#reason);
      return () => {};
    }
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => this.#listeners?.delete(listener);
  }

  /** Aborted when the run is interrupted, with the reason of the interruption. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.interrupted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /**
   * Calls `fn`.
   * @returns its value, or a promise that settles with the function or with the interruption, whichever comes first
   * @throws what `fn` throws synchronously
   */
  start<C>(fn: (context: C) => PromiseLike<T> | T, context: C): T | Promise<T> {
    let result: PromiseLike<T> | T;
    try {
      result = fn(context);
    } catch (error) {
      this.#over = true;
      throw error;
    }
    if (!isThenable(result)) {
      this.#over = true;
      return result;
    }
    this.#pending = true;
    const promise = result instanceof Promise ? result : Promise.resolve(result);
    return new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      promise.then(
        (value) => this.#settled(value, undefined, true),
        (error) => this.#settled(undefined, error, false),
      );
      if (this.interrupted) this.#leaveBehind();
    });
  }

  interrupt(error: unknown): void {
    if (this.#over || this.interrupted) return;
    this.interrupted = true;
    this.#reason = error;
    // Where the function is still in its synchronous part, `start` does this when it has returned.
    if (this.#pending) this.#leaveBehind();
    this.#controller?.abort(error);
    if (this.#listeners) for (const listener of this.#listeners) listener(error);
  }

  expire(lateMs: number): void {
    this.interrupt(this.#onExpire?.(lateMs, this.#operation));
  }

  #leaveBehind(): void {
    this.#pending = false;
    this.#counter.abandoned += 1;
    this.#reject?.(this.#reason);
  }

  #settled(value: T | undefined, error: unknown, succeeded: boolean): void {
    if (!this.#pending) {
      this.#over = true;
      this.#counter.abandoned -= 1;
      this.#late?.late(succeeded ? value : error, succeeded);
      return;
    }
    this.#pending = false;
    this.#over = true;
    if (succeeded) this.#resolve?.(value as T);
    else this.#reject?.(error);
  }
}

/** Whether `value` has to be awaited. */
export function isThenable<T>(value: PromiseLike<T> | T): value is PromiseLike<T> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
