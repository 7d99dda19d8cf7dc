import { AsyncResource } from 'node:async_hooks';
import type { Clock, Timer } from './clock.ts';
import { systemClock } from './clock.ts';
import type { DeadlineList, DeadlineNode } from './deadline-node.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import { areTimersReplaced } from './timers-in-force.ts';

/** The timer that all calls share belongs to none of them: it starts outside of any call's async context. */
const OUTSIDE = new AsyncResource('KeelsonDeadlines');

/**
 * A timer that fires this late was held up by a busy event loop. Sockets then get two turns to be read before anything is judged:
 * the answer may be in the kernel already, and the dependency is not to blame.
 */
export const LATE_MS = 20;
const GRACE_TURNS = 2;

/**
 * The part of a deadline's lateness that a busy event loop is to blame for: all of it beyond {@link LATE_MS}, otherwise 0.
 * @param lateMs what `DeadlineNode.expire` was called with: 0 if the loop had a turn while the deadline ran
 */
export function loopDelayMs(lateMs: number): number {
  return lateMs > LATE_MS ? lateMs : 0;
}

/**
 * All deadlines of a clock on one timer. A call that ends in time costs a list insertion and a removal; the timer is left to run,
 * finds nothing due, and is set to the next deadline. It keeps the process alive only while something is armed.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #queue = new DeadlineQueue();
  #armed = 0;
  #timer: Timer | undefined;
  #timerDueAt = Number.POSITIVE_INFINITY;
  #graceTurns = 0;
  /** When the timer was late: what fell due since then gets turns of its own. */
  #graceSince = 0;
  /** Whether the timer is set to the half of the time until the next deadline. */
  #isHalfway = false;
  /** When the timer fired last, and the time before that. A deadline that was armed before the last but one has seen the event loop turn. */
  #firedAt = Number.NEGATIVE_INFINITY;
  #firedBefore = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many lists are watched: those that hold a deadline, and some that did. */
  get watched(): number {
    return this.#queue.size;
  }

  /** A list for deadlines of `durationMs` milliseconds. Whoever has many deadlines of one length makes one list for them and keeps it. */
  list(durationMs: number): DeadlineList {
    return listOf(durationMs, undefined);
  }

  /**
   * While a test runner has replaced the timers of the process, each deadline has a timer of its own: one that the runner fires, and that no call of a later test
   * relies on.
   * @param now the time on the clock, which the caller has read anyway
   */
  arm(list: DeadlineList, deadline: DeadlineNode, now: number): void {
    deadline.dueAt = now + list.durationMs;
    if (this.#areReplaced) {
      this.#armAlone(list.durationMs, deadline);
      return;
    }
    deadline.deadlineList = list;
    deadline.previousDeadline = list.tail;
    if (list.tail) {
      list.tail.nextDeadline = deadline;
    } else {
      list.head = deadline;
      this.#queue.filled(list, deadline.dueAt);
    }
    list.tail = deadline;
    this.#armed += 1;
    if (this.#armed === 1) this.#timer?.ref();
    if (deadline.dueAt < this.#timerDueAt) {
      this.#isHalfway = false;
      this.#setTimer(deadline.dueAt, now);
    }
  }

  /** Does nothing to a deadline that is not armed. */
  disarm(deadline: DeadlineNode): void {
    const list = deadline.deadlineList;
    if (!list) return;
    if (list.ownTimer) {
      list.ownTimer.cancel();
      deadline.deadlineList = undefined;
      return;
    }
    const { previousDeadline: previous, nextDeadline: next } = deadline;
    if (previous) previous.nextDeadline = next;
    else list.head = next;
    if (next) next.previousDeadline = previous;
    else list.tail = previous;
    deadline.previousDeadline = undefined;
    deadline.nextDeadline = undefined;
    deadline.deadlineList = undefined;
    if (!list.head) this.#queue.emptied();
    this.#armed -= 1;
    if (this.#armed === 0) this.#timer?.unref();
  }

  get #areReplaced(): boolean {
    return this.#clock === systemClock && areTimersReplaced();
  }

  #armAlone(durationMs: number, deadline: DeadlineNode): void {
    const expire = (): void => {
      this.disarm(deadline);
      deadline.expire(0);
    };
    const timer = OUTSIDE.runInAsyncScope(() => this.#clock.setTimer(expire, Math.ceil(durationMs)));
    deadline.deadlineList = listOf(durationMs, timer);
  }

  /**
   * Sets the timer to the half of the time until `dueAt` first. A loop that is busy in pieces has a turn by then: a deadline that is late all the same is
   * the dependency's fault, since an answer would have been read in that turn.
   */
  #setTimer(deadlineAt: number, now: number): void {
    this.#timer?.cancel();
    const isHalfway = !this.#isHalfway && deadlineAt - now > 2 * LATE_MS && !this.#areReplaced;
    const dueAt = isHalfway ? (now + deadlineAt) / 2 : deadlineAt;
    this.#isHalfway = isHalfway;
    // A timer that a test runner has made in place of a real one may be gone by the next call, which then starts another.
    this.#timerDueAt = this.#areReplaced ? Number.POSITIVE_INFINITY : dueAt;
    const delayMs = Math.max(0, Math.ceil(dueAt - now));
    this.#timer = OUTSIDE.runInAsyncScope(() => this.#clock.setTimer(() => this.#fire(), delayMs));
  }

  #fire(): void {
    const now = this.#clock.now();
    const isLate = now - this.#timerDueAt > LATE_MS;
    this.#timer = undefined;
    this.#timerDueAt = Number.POSITIVE_INFINITY;
    if (this.#graceTurns === 0) {
      this.#firedBefore = this.#firedAt;
      this.#firedAt = now;
    }
    if (this.#graceTurns > 0) {
      this.#graceTurns -= 1;
      if (this.#graceTurns === 0) this.#expireDue(this.#graceSince, now);
    } else if (isLate) {
      this.#graceTurns = GRACE_TURNS;
      this.#graceSince = now;
    } else {
      this.#expireDue(now, now);
    }
    if (this.#armed === 0) this.#graceTurns = 0;
    const next = this.#graceTurns > 0 ? now : (this.#next()?.dueAt ?? Number.POSITIVE_INFINITY);
    if (next < this.#timerDueAt) this.#setTimer(next, now);
  }

  #expireDue(until: number, now: number): void {
    for (let next = this.#next(); next && next.dueAt <= until; next = this.#next()) {
      const armedAt = next.dueAt - (next.deadlineList?.durationMs ?? 0);
      this.disarm(next);
      next.expire(this.#firedBefore > armedAt ? 0 : now - next.dueAt);
    }
  }

  /** The deadline that falls due next. */
  #next(): DeadlineNode | undefined {
    return this.#queue.first()?.head;
  }
}

function listOf(durationMs: number, ownTimer: Timer | undefined): DeadlineList {
  return { durationMs, head: undefined, tail: undefined, lookAt: Number.NaN, place: -1, ownTimer };
}

const deadlinesOf = new WeakMap<Clock, Deadlines>();

/** The deadlines of a clock; everything that uses the clock shares its one timer. */
export function deadlinesFor(clock: Clock): Deadlines {
  let deadlines = deadlinesOf.get(clock);
  if (!deadlines) {
    deadlines = new Deadlines(clock);
    deadlinesOf.set(clock, deadlines);
  }
  return deadlines;
}
