/** Warns of each trouble once, until it is over. The troubles are a closed set of the caller's: nothing here bounds them. */
export class WarnOnce {
  readonly #warn: (message: string) => void;
  readonly #warned = new Set<string>();

  /** @param warn takes the message */
  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /**
   * Warns if it has not warned of `trouble` before.
   * @param message is called only then
   */
  warn(trouble: string, message: () => string): void {
    if (this.#warned.has(trouble)) return;
    this.#warned.add(trouble);
    this.#warn(message());
  }

  /** The trouble is over: if it comes back, that is worth a warning again. */
  over(trouble: string): void {
    this.#warned.delete(trouble);
  }
}
