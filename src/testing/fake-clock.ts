import { setImmediate } from 'node:timers';
import { OptionChecker } from '../core/options.ts';
import type { Clock, Timer } from '../core/time/clock.ts';

/** The real one: runners replace the global one, and the one in `node:timers`. */
const turn = setImmediate;

interface PendingTimer {
  readonly dueAt: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
  refed: boolean;
}

/** A clock that stands still until a test moves it. Timers fire in the order of their time, then of their start. */
export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  #epochOffset: number;
  #timers: PendingTimer[] = [];

  /** @param startEpochMs the wall-clock time at which the clock stands first, in milliseconds since 1970 */
  constructor(startEpochMs: number = Date.UTC(2026, 0, 1)) {
    this.#epochOffset = startEpochMs;
  }

  now(): number {
    return this.#now;
  }

  epoch(): number {
    return this.#epochOffset + this.#now;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer: PendingTimer = {
      dueAt: this.#now + delayMs,
      order: this.#order,
      callback,
      cancelled: false,
      refed: true,
    };
    this.#order += 1;
    this.#timers.push(timer);
    return {
      cancel: () => {
        timer.cancelled = true;
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
      ref: () => {
        timer.refed = true;
      },
      unref: () => {
        timer.refed = false;
      },
    };
  }

  /** How many timers are running, and how many of them would keep a process alive. */
  get timers(): { readonly running: number; readonly refed: number } {
    return { running: this.#timers.length, refed: this.#timers.filter((timer) => timer.refed).length };
  }

  /** Moves the wall clock alone, as a correction of the machine's clock does. The monotonic time does not change. */
  shiftEpoch(ms: number): void {
    checkMs('shiftEpoch', ms, Number.MIN_SAFE_INTEGER);
    this.#epochOffset += ms;
  }

  /**
   * Moves time forward, fires what falls due on the way, and lets promises settle before, between and after.
   * @param ms milliseconds, at least 0
   * @throws {ConfigError} for anything else
   */
  async advance(ms: number): Promise<void> {
    checkMs('advance', ms, 0);
    const target = this.#now + ms;
    await settlePromises();
    for (let next = this.#nextDue(target); next; next = this.#nextDue(target)) {
      this.#now = Math.max(this.#now, next.dueAt);
      this.#fire(next);
      await settlePromises();
    }
    // A callback that blocks the loop has gone further already.
    this.#now = Math.max(target, this.#now);
    await settlePromises();
  }

  /**
   * Moves time forward without firing anything, as a blocked event loop does; what fell due meanwhile fires at the next `advance`.
   * @param ms milliseconds; a negative number moves a monotonic clock back, as a broken one does
   * @throws {ConfigError} for anything else
   */
  block(ms: number): void {
    checkMs('block', ms, Number.MIN_SAFE_INTEGER);
    this.#now += ms;
  }

  #nextDue(target: number): PendingTimer | undefined {
    return this.#timers
      .filter((timer) => timer.dueAt <= target)
      .sort((a, b) => a.dueAt - b.dueAt || a.order - b.order)[0];
  }

  #fire(timer: PendingTimer): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
    if (!timer.cancelled) timer.callback();
  }
}

/** @throws {ConfigError} for what is no number of milliseconds: the clock would stand still, or never show a time again */
function checkMs(method: string, ms: unknown, min: number): void {
  const check = new OptionChecker(`FakeClock.${method}`);
  if (typeof ms !== 'number' || !Number.isFinite(ms) || ms < min) {
    const what = min === 0 ? 'to be milliseconds of at least 0' : 'to be milliseconds';
    check.problem('ms', what, ms, 'Give a number: `advance(1_000)` moves the clock by one second.');
  }
  check.done();
}

/** Lets every promise that can settle without time do so; also while a test runner has replaced the timers of the process. */
export function settlePromises(): Promise<void> {
  return new Promise((resolve) => {
    turn(resolve);
  });
}
