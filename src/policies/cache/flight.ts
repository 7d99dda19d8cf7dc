import type { CacheCaller } from './result.ts';

/**
 * One load that several callers may wait for. A caller that gives up leaves alone; the load is told through its signal only when the last of
 * them has gone, whoever began it.
 */
export class Flight<R> {
  /** Whoever began it, as the handle for those who join. */
  readonly leader: CacheCaller | undefined;
  /** Whether it runs on its own account: it goes on when everybody has gone. */
  readonly isBackground: boolean;
  readonly #settlement = Promise.withResolvers<R>();
  readonly #controller = new AbortController();
  readonly #onAbandoned: () => void;
  #waiting = 0;

  /** @param onAbandoned called when the last caller has gone, before the load is told */
  constructor(leader: CacheCaller | undefined, isBackground: boolean, onAbandoned: () => void) {
    this.leader = leader;
    this.isBackground = isBackground;
    this.#onAbandoned = onAbandoned;
  }

  /** Whether nobody waits for it, or never did. */
  get isUnattended(): boolean {
    return this.#waiting === 0;
  }

  /** Begins the load. Its rejection is never unhandled, whether or not anybody waits. */
  start(load: (signal: AbortSignal) => Promise<R>): void {
    const { promise, resolve, reject } = this.#settlement;
    promise.catch(() => {});
    load(this.#controller.signal).then(resolve, reject);
  }

  /**
   * Waits for the load.
   * @param signal lets this caller go, and nobody else; it is not aborted yet
   * @returns the result of the load; rejects with the signal's reason where that aborts first
   */
  join(signal: AbortSignal | undefined): Promise<R> {
    const { promise } = this.#settlement;
    this.#waiting += 1;
    if (!signal) return promise;
    return new Promise<R>((resolve, reject) => {
      const leave = (): void => {
        reject(signal.reason);
        this.#leave(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      const stopListening = (): void => signal.removeEventListener('abort', leave);
      promise.then(resolve, reject);
      promise.then(stopListening, stopListening);
    });
  }

  #leave(reason: unknown): void {
    this.#waiting -= 1;
    if (this.#waiting > 0 || this.isBackground) return;
    this.#onAbandoned();
    this.#controller.abort(reason);
  }
}
