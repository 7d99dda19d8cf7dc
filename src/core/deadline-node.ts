/** Something that must be over by a certain time. It is its own list node, so that arming it allocates nothing. `Deadlines` sets its fields. */
export abstract class DeadlineNode {
  /** The time on the clock at which `expire` is due. It begins as NaN: V8 then keeps a double from the start, and the object never changes its shape. */
  dueAt: number = Number.NaN;
  previousDeadline: DeadlineNode | undefined = undefined;
  nextDeadline: DeadlineNode | undefined = undefined;
  /** The list that holds this deadline; `undefined` while it is not armed. */
  deadlineList: DeadlineList | undefined = undefined;

  /**
   * Called once when the time is over, unless it was disarmed before.
   * @param lateMs milliseconds that have passed since then
   */
  abstract expire(lateMs: number): void;
}

/** Deadlines of one length. They fall due in the order in which they were armed, so that a plain queue keeps them sorted. */
export interface DeadlineList {
  readonly durationMs: number;
  head: DeadlineNode | undefined;
  tail: DeadlineNode | undefined;
}
