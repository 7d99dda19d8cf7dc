import { discard, MAX_DISCARD_MS } from '../../core/discard.ts';
import { errorLine } from '../../core/error-line.ts';
import { FailedResultError } from '../../core/errors.ts';
import type { Interruptible } from '../../core/execution.ts';
import { isThenable } from '../../core/execution.ts';
import type { Clock } from '../../core/time/clock.ts';
import { Wait } from '../../core/time/wait.ts';
import type { Reporter } from './reporter.ts';

/** Frees what a thrown-away value holds, in place of Keelson's own way. */
export type Dispose = (value: never) => unknown;

/** An attempt of a call that has had others. */
interface NextAttempt {
  readonly call: {
    readonly lastError: unknown;
    readonly dispose: Dispose | undefined;
    failedResult: FailedResultError | undefined;
  };
  enter(stage: Interruptible): void;
  leave(): void;
}

/** Frees what the values of one guard hold that no caller gets. */
export class Discards {
  readonly #dispose: Dispose | undefined;
  readonly #clock: Clock;
  readonly #reporter: Reporter;

  /** @param dispose the guard's option; that of a call goes first */
  constructor(dispose: Dispose | undefined, clock: Clock, reporter: Reporter) {
    this.#dispose = dispose;
    this.#clock = clock;
    this.#reporter = reporter;
  }

  /** A value that no caller gets. @returns a promise that never rejects; `undefined` if there is nothing to wait for */
  value(value: unknown, dispose: Dispose | undefined = this.#dispose): Promise<unknown> | undefined {
    if (!dispose) return discard(value, this.#clock);
    try {
      const disposing = dispose(value as never);
      if (isThenable(disposing)) return Promise.resolve(disposing).catch((error) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
    return undefined;
  }

  /** An error that no caller gets: with the value that counts as a failure, or with the response that a client put there. */
  error(error: unknown, dispose?: Dispose): Promise<unknown> | undefined {
    if (error instanceof FailedResultError) return this.value(error.value, dispose);
    return discard(error, this.#clock);
  }

  /**
   * What the last run gave, before the next run: from here on no caller gets it.
   * @returns a promise that resolves when the next run can begin, and rejects if the call is interrupted; `undefined` if it can begin at once
   */
  beforeNext(attempt: NextAttempt): Promise<void> | undefined {
    const { call } = attempt;
    call.failedResult = undefined;
    const done = this.error(call.lastError, call.dispose);
    if (!done) return undefined;
    const limit = new Wait(this.#clock, MAX_DISCARD_MS);
    attempt.enter(limit);
    void done.then(() => limit.expire());
    return limit.granted.finally(() => attempt.leave());
  }

  #failed(error: unknown): void {
    const remedy = 'What the value holds may stay open: make `dispose` safe for every value.';
    this.#reporter.warnOnce('dispose', () => `\`dispose\` threw: ${errorLine(error)} ${remedy}`);
  }
}
