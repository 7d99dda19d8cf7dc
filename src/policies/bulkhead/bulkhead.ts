import type { ErrorSource } from '../../core/errors.ts';
import { ofGuard, RejectedError } from '../../core/errors.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { DeadlineList } from '../../core/time/deadline-node.ts';
import type { Deadlines } from '../../core/time/deadlines.ts';
import { deadlinesFor } from '../../core/time/deadlines.ts';
import { Waiter } from '../../core/waiter.ts';
import type { ResolvedBulkhead } from './options.ts';

/** A call in the queue. */
export class QueuedCall extends Waiter {
  /** Neighbours in the queue. */
  before: QueuedCall | undefined = undefined;
  after: QueuedCall | undefined = undefined;
  /** The calls that hold a slot and do not give it back before this one has ended. */
  readonly holders: readonly object[];
  readonly #leave: (call: QueuedCall) => boolean;
  readonly #onExpire: () => RejectedError;

  constructor(
    holders: readonly object[],
    leave: (call: QueuedCall) => boolean,
    onExpire: () => RejectedError,
  ) {
    super();
    this.holders = holders;
    this.#leave = leave;
    this.#onExpire = onExpire;
  }

  override expire(): void {
    this.interrupt(this.#onExpire());
  }

  protected leave(): boolean {
    return this.#leave(this);
  }
}

/** Slots for calls that run, and a bounded first-in-first-out queue for those that wait. */
export class Bulkhead {
  #limit: number;
  #queueLimit: number;
  readonly #source: ErrorSource;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  #queueTimeout: DeadlineList | undefined;
  #active = 0;
  #queued = 0;
  /** The calls that hold a slot while a call within them waits for another; with the number of such waits. */
  readonly #stuck = new Map<object, number>();
  #head: QueuedCall | undefined;
  #tail: QueuedCall | undefined;

  constructor(options: ResolvedBulkhead, clock: Clock, source: ErrorSource = {}) {
    this.#limit = options.concurrent;
    this.#queueLimit = options.queue;
    this.#source = { ...source, policy: 'bulkhead' };
    this.#clock = clock;
    this.#deadlines = deadlinesFor(clock);
    if (options.queueTimeoutMs !== undefined)
      this.#queueTimeout = this.#deadlines.list(options.queueTimeoutMs);
  }

  /** Slots. */
  get limit(): number {
    return this.#limit;
  }

  /** Places in the queue. */
  get queueLimit(): number {
    return this.#queueLimit;
  }

  /** Calls that hold a slot. */
  get active(): number {
    return this.#active;
  }

  /** Calls that wait for one. */
  get queued(): number {
    return this.#queued;
  }

  /**
   * Changes the options. Calls that hold a slot keep it, and those in the queue their place and its timeout. If there are more slots now, those that
   * wait have them; if there are fewer, nobody gets one until enough calls have ended.
   */
  update({ concurrent, queue, queueTimeoutMs }: ResolvedBulkhead): void {
    this.#limit = concurrent;
    this.#queueLimit = queue;
    this.#queueTimeout = queueTimeoutMs === undefined ? undefined : this.#deadlines.list(queueTimeoutMs);
    while (this.#active < this.#limit && this.#head) {
      this.#active += 1;
      this.#grantNext(this.#head);
    }
  }

  /** Takes a slot if one is free and nobody waits for it. Each slot taken is given back with {@link leave}. */
  tryEnter(): boolean {
    if (this.#active >= this.#limit) return false;
    this.#active += 1;
    return true;
  }

  /**
   * Joins the queue. When `granted` resolves the caller has a slot, to be given back with {@link leave}.
   * @param holders the calls around this one that hold a slot
   * @returns the place in the queue, or the error: `ERR_KEELSON_BULKHEAD_FULL` where there is none left, `ERR_KEELSON_REENTRANT` where every slot would wait
   *   for a call within its own function, so that none would ever become free
   */
  enqueue(holders: readonly object[] = []): QueuedCall | RejectedError {
    if (this.#queued >= this.#queueLimit) return this.#full();
    if (holders.length > 0 && new Set([...this.#stuck.keys(), ...holders]).size >= this.#limit)
      return this.#reentrant();
    for (const holder of holders) this.#stuck.set(holder, (this.#stuck.get(holder) ?? 0) + 1);
    const waiter = new QueuedCall(
      holders,
      (leaving) => this.#dequeue(leaving),
      () => this.#timedOut(),
    );
    waiter.before = this.#tail;
    if (this.#tail) this.#tail.after = waiter;
    else this.#head = waiter;
    this.#tail = waiter;
    this.#queued += 1;
    if (this.#queueTimeout) this.#deadlines.arm(this.#queueTimeout, waiter, this.#clock.now());
    return waiter;
  }

  /** Gives a slot back; the first in the queue has it next. */
  leave(): void {
    const next = this.#head;
    if (next && this.#active <= this.#limit) this.#grantNext(next);
    else this.#active -= 1;
  }

  #grantNext(next: QueuedCall): void {
    this.#dequeue(next);
    next.grant();
  }

  /** @returns whether the waiter was still in the queue */
  #dequeue(waiter: QueuedCall): boolean {
    if (this.#head !== waiter && !waiter.before) return false;
    const { before, after } = waiter;
    if (before) before.after = after;
    else this.#head = after;
    if (after) after.before = before;
    else this.#tail = before;
    waiter.before = undefined;
    waiter.after = undefined;
    this.#queued -= 1;
    for (const holder of waiter.holders) {
      const waits = (this.#stuck.get(holder) ?? 0) - 1;
      if (waits > 0) this.#stuck.set(holder, waits);
      else this.#stuck.delete(holder);
    }
    this.#deadlines.disarm(waiter);
    return true;
  }

  #full(): RejectedError {
    const message = `All ${this.limit} slots are in use and ${this.#queued} of ${this.queueLimit} calls wait for one.`;
    return new RejectedError('ERR_KEELSON_BULKHEAD_FULL', 'full', ofGuard(this.#source, message), {
      source: this.#source,
      hint: 'The dependency is slower than the demand: shed load, or raise `bulkhead.concurrent` or `bulkhead.queue` if it can take more.',
    });
  }

  #reentrant(): RejectedError {
    const message = `All ${this.limit} slots are held by calls that wait for calls of the same guard within their functions.`;
    return new RejectedError('ERR_KEELSON_REENTRANT', 'reentrant', ofGuard(this.#source, message), {
      source: this.#source,
      hint: 'Call the dependency within the function without the guard, give the inner calls a guard of their own, or raise `bulkhead.concurrent`.',
    });
  }

  #timedOut(): RejectedError {
    const waitedMs = this.#queueTimeout?.durationMs;
    return new RejectedError(
      'ERR_KEELSON_BULKHEAD_QUEUE_TIMEOUT',
      'queue_timeout',
      ofGuard(this.#source, `No slot became free within ${waitedMs} ms.`),
      {
        source: this.#source,
        hint: 'The dependency is slower than the demand: shed load, or raise `bulkhead.concurrent` if it can take more.',
      },
    );
  }
}
