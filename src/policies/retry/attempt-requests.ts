const MAX_DEPTH = 5;

/**
 * The HTTP requests that were seen in one attempt of a call that is not idempotent. They prove that the attempt sent nothing only if there
 * was exactly one, it never got a connection, its own error ended the attempt, and the function waited for nothing else. Whatever else is
 * seen puts the attempt in doubt for good.
 *
 * A function that has waited for anything else, such as the answer of a database on a connection that was open already, has gone on in a later
 * turn of the event loop. No channel tells of such a wait, and it may have been the work itself.
 */
export class AttemptRequests {
  readonly #turn: number;
  readonly #before: AttemptRequests | undefined;
  readonly #around: AttemptRequests | undefined;
  #count = 0;
  #isInDoubt = false;
  #failure: { readonly error: unknown; readonly turn: number } | undefined = undefined;
  #wasEndedByFailure = false;

  /**
   * @param turn the turn of the event loop in which the attempt began; NaN if it is unknown
   * @param before the attempt of the same call before this one: its function may still run, and send something
   * @param around the attempt of another guard in which this one runs
   */
  constructor(turn: number, before?: AttemptRequests, around?: AttemptRequests) {
    this.#turn = turn;
    this.#before = before;
    this.#around = around;
  }

  /** A request began. @param turn the turn of the event loop; NaN if it is unknown */
  began(turn: number): void {
    this.#count += 1;
    if (this.#count > 1 || turn !== this.#turn) this.#isInDoubt = true;
    this.#around?.began(turn);
  }

  /** Something may have reached a server: there was a connection. */
  connected(): void {
    this.#isInDoubt = true;
    this.#around?.connected();
  }

  /** The request failed, and got no connection unless {@link connected} was or is called. */
  failed(error: unknown, turn: number): void {
    this.#failure = { error, turn };
    this.#around?.failed(error, turn);
  }

  /** The attempt ended with `error`. */
  ended(error: unknown, turn: number): void {
    const failure = this.#failure;
    this.#wasEndedByFailure = failure?.turn === turn && isOrHasCause(error, failure.error);
  }

  /** Whether the attempt, which has ended, has surely sent nothing until now. */
  get sentNothing(): boolean {
    return this.#wasEndedByFailure && this.#isClean;
  }

  get #isClean(): boolean {
    if (this.#isInDoubt) return false;
    return this.#before === undefined || this.#before.#isClean;
  }
}

/** Whether `error` is `cause`, or has it in its chain of causes. The same object, not one that looks the same. */
function isOrHasCause(error: unknown, cause: unknown): boolean {
  let current = error;
  try {
    for (let depth = 0; depth <= MAX_DEPTH; depth += 1) {
      if (typeof current !== 'object' || current === null) return false;
      if (current === cause) return true;
      current = Reflect.get(current, 'cause');
    }
  } catch {
    // An error whose properties throw proves nothing.
  }
  return false;
}
