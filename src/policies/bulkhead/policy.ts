import type { IDefaultPolicyContext, IPolicy } from 'cockatiel';
import { RejectedError } from '../../core/errors.ts';
import { OptionChecker } from '../../core/options.ts';
import { systemClock } from '../../core/time/clock.ts';
import { PolicyEvents } from '../policy-events.ts';
import type { PolicyPorts } from '../standalone.ts';
import { onAbort } from '../standalone.ts';
import { Bulkhead } from './bulkhead.ts';
import type { BulkheadOptions } from './options.ts';
import { resolveBulkhead } from './options.ts';

/** A bulkhead as a policy of its own. */
export interface BulkheadPolicy extends IPolicy {
  /** Free slots; the name is cockatiel's. */
  readonly executionSlots: number;
  /** Free places in the queue; the name is cockatiel's. */
  readonly queueSlots: number;
}

/**
 * A bulkhead that mixes in cockatiel's `wrap`. A queued call keeps the async context of its own caller, and leaves the queue when it is aborted.
 * @returns a policy that throws {@link RejectedError} (`ERR_KEELSON_BULKHEAD_FULL`, `ERR_KEELSON_BULKHEAD_QUEUE_TIMEOUT`)
 * @throws {ConfigError} for options that cannot be used
 */
export function bulkhead(
  options: BulkheadOptions = {},
  { clock = systemClock }: PolicyPorts = {},
): BulkheadPolicy {
  const check = new OptionChecker('bulkhead');
  const resolved = resolveBulkhead(options, check);
  check.done();
  const slots = new Bulkhead(resolved, clock);
  const events = new PolicyEvents(clock);

  async function enter(signal: AbortSignal | undefined): Promise<void> {
    const waiter = slots.enqueue();
    if (waiter instanceof RejectedError) throw waiter;
    const stopListening = onAbort(signal, (reason) => waiter.interrupt(reason));
    try {
      await waiter.granted;
    } finally {
      stopListening();
    }
  }

  async function run<T>(
    fn: (context: IDefaultPolicyContext) => PromiseLike<T> | T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    signal?.throwIfAborted();
    if (!slots.tryEnter()) await enter(signal);
    try {
      return await fn({ signal: signal ?? new AbortController().signal });
    } finally {
      slots.leave();
    }
  }

  return {
    _altReturn: undefined as never,
    onSuccess: events.onSuccess,
    onFailure: events.onFailure,
    get executionSlots() {
      return slots.limit - slots.active;
    },
    get queueSlots() {
      return slots.queueLimit - slots.queued;
    },
    execute: (fn, signal) =>
      events.watch(
        () => run(fn, signal),
        (error) => error instanceof RejectedError,
      ),
  };
}
