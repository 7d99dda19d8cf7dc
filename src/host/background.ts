/** A figure that is fetched in the background: one fetch at a time, and gone when the last one failed or hangs. */
export class Background<T> {
  readonly #fetch: () => Promise<T>;
  #pending = false;
  #missed = 0;
  value: T | undefined;

  constructor(fetch: () => Promise<T>) {
    this.#fetch = fetch;
  }

  /** @returns a promise that never rejects */
  refresh(): Promise<void> {
    if (this.#pending) {
      this.#missed += 1;
      if (this.#missed > 1) this.value = undefined;
      return Promise.resolve();
    }
    this.#pending = true;
    this.#missed = 0;
    return this.#run();
  }

  async #run(): Promise<void> {
    try {
      this.value = await this.#fetch();
    } catch {
      this.value = undefined;
    } finally {
      this.#pending = false;
    }
  }
}
