/** A started timer. The names are those of Node's own timers. */
export interface Timer {
  /** Stops the timer; calling it again does nothing. */
  cancel(): void;
  /** Lets the timer keep the process alive (the state in which it starts). */
  ref(): void;
  /** Lets the process end although the timer is still running. */
  unref(): void;
}

/** The one source of time. Nothing else in `src` reads the time or starts a timer. */
export interface Clock {
  /** Monotonic time in milliseconds, with fractions; only differences mean something. */
  now(): number;
  /** Wall-clock time in milliseconds since 1970-01-01T00:00:00Z, with fractions where the platform has them. */
  epoch(): number;
  /**
   * Calls `callback` once.
   * @param delayMs milliseconds, 0 to 2^31-1
   */
  setTimer(callback: () => void, delayMs: number): Timer;
}

class SystemTimer implements Timer {
  readonly #handle: NodeJS.Timeout;
  /** The one that belongs to the `setTimeout` that was used: a test can replace both meanwhile. */
  readonly #clear: typeof clearTimeout;

  constructor(callback: () => void, delayMs: number) {
    this.#clear = clearTimeout;
    this.#handle = setTimeout(callback, delayMs);
  }

  cancel(): void {
    const clear = this.#clear;
    clear(this.#handle);
  }

  ref(): void {
    this.#handle.ref();
  }

  unref(): void {
    this.#handle.unref();
  }
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  epoch: () => Date.now(),
  setTimer: (callback, delayMs) => new SystemTimer(callback, delayMs),
};
