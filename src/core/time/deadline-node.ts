import type { Timer } from './clock.ts';

/** Something that must be over by a certain time. It is its own list node, so that arming it allocates nothing. `Deadlines` sets its fields. */
export abstract class DeadlineNode {
  /** The time on the clock at which `expire` is due. */
  declare dueAt: number;
  declare previousDeadline: DeadlineNode | undefined;
  declare nextDeadline: DeadlineNode | undefined;
  /** The list that holds this deadline; `undefined` while it is not armed. */
  declare deadlineList: DeadlineList | undefined;

  /**
   * Assigns the fields here, since initializers of fields cost a guarded call 5 % more (measured): V8 runs them apart from the constructor in each class
   * that extends another. The time begins as NaN, which V8 keeps as a double from the start: the object never changes its shape.
   */
  constructor() {
    this.dueAt = Number.NaN;
    this.previousDeadline = undefined;
    this.nextDeadline = undefined;
    this.deadlineList = undefined;
  }

  /**
   * Called once when the time is over, unless it was disarmed before.
   * @param lateMs milliseconds by which a busy event loop has held this up; 0 if the loop had a turn since the deadline was armed
   */
  abstract expire(lateMs: number): void;
}

/** Deadlines of one length. They fall due in the order in which they were armed, so that a plain queue keeps them sorted. */
export interface DeadlineList {
  readonly durationMs: number;
  head: DeadlineNode | undefined;
  tail: DeadlineNode | undefined;
  /** When the queue of all lists looks at this one again, at the latest: no later than `head` falls due. */
  lookAt: number;
  /** Its place in the queue; -1 for a list that is not there. */
  place: number;
  /** The timer of a list that holds one deadline and shares no timer: see `Deadlines.arm`. */
  readonly ownTimer: Timer | undefined;
}
