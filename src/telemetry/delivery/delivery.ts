import type { Random } from '../../core/random.ts';
import type { Clock, Timer } from '../../core/time/clock.ts';
import type { TelemetryCounts } from '../counts.ts';
import { capDefaults } from '../journal/index.ts';
import type { Place, SignalJournal, Waiting } from '../journal/index.ts';
import { backoffMs } from '../otlp/http/index.ts';
import type { OtlpTransport, SendResult } from '../otlp/http/index.ts';
import type { Signal } from '../semconv.ts';
import { warnOfFault } from '../warnings/guarded-clock.ts';
import type { Warn } from '../warnings/warner.ts';
import { warnAway } from './away-warning.ts';
import { LiveQueue } from './live-queue.ts';
import type { LiveBatch, LiveLimits } from './live-queue.ts';
import { Pacer } from './pacer.ts';
import { Sender } from './sender.ts';

/** The part of a signal's journal that a delivery uses. */
export type Backlog = Pick<
  SignalJournal,
  'next' | 'settle' | 'release' | 'defer' | 'setAside' | 'append' | 'waiting'
>;

/** What a {@link Delivery} is made of. */
export interface DeliveryParts {
  readonly signal: Signal;
  readonly transport: OtlpTransport;
  readonly counts: TelemetryCounts;
  readonly clock: Clock;
  readonly random: Random;
  readonly warn: Warn;
  /** The endpoint as messages show it, without secrets. */
  readonly target: string;
  /** The batches on disk. Absent if no files are written. */
  readonly backlog?: Backlog | undefined;
  readonly limits?: LiveLimits;
  /** How many bytes of the backlog to send in a second. @defaultValue 4 MiB */
  readonly backlogRate?: number;
}

/**
 * How many bytes of the backlog to send in a second: about 5,000 spans. A service with 500 spans a second makes up for a minute's outage in six
 * seconds. A Collector on one core takes more than ten times as much.
 */
export const BACKLOG_BYTES_PER_SECOND: number = 4 * 1_024 * 1_024;

/** How often to try one batch of the backlog while the receiver takes others. Then it is deferred. */
const TRIES_IN_A_ROW = 5;

/** How long deferred batches wait after all others were tried. */
const DEFERRED_MS = 30_000;

/** How long to try one batch: as long as the journal keeps it. */
const MAX_AGE_MS = capDefaults.maxAgeMs;

/** How often to try the newest batch before another takes its place: about a minute of an outage in which no new batch comes. */
const TRIES_OF_THE_NEWEST = 12;

/**
 * Carries the batches of one signal to its endpoint, in two lanes with one request each.
 * - The live lane sends new batches out of memory, in order.
 * - The backlog lane sends batches out of the journal, oldest first and at a bounded rate, while no new batch waits.
 *
 * While the endpoint is away, only the newest batch is tried. All others wait on the disk.
 */
export class Delivery {
  readonly #parts: DeliveryParts;
  readonly #sender: Sender;
  readonly #live: LiveQueue;
  readonly #pacer: Pacer;
  #sending: LiveBatch | undefined;
  #liveRun: Promise<void> | undefined;
  #backlogRun: Promise<void> | undefined;
  #retry: Timer | undefined;
  #pace: Timer | undefined;
  #again: Timer | undefined;
  #hasDeferred = false;
  /** How many tries in a row have failed. */
  #failures = 0;
  /** The batch of the live lane that failed last, and how often in a row. */
  #tried: LiveBatch | undefined;
  #tries = 0;
  #head: { readonly place: Place; tries: number } | undefined;
  /** Monotonic time in milliseconds until which the backlog is sent without a bound on its rate. */
  #flushUntil = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#sender = new Sender(parts);
    this.#live = new LiveQueue(parts.limits);
    this.#pacer = new Pacer(parts.backlogRate ?? BACKLOG_BYTES_PER_SECOND);
  }

  /** The batches in memory that are not on disk. */
  get unplaced(): Waiting {
    const batches = this.#live.unplaced;
    return {
      items: batches.reduce((sum, { items }) => sum + items, 0),
      bytes: batches.reduce((sum, { body }) => sum + body.byteLength, 0),
      oldestAt: batches[0]?.takenAt,
    };
  }

  /** Takes a batch and returns at once. @param place its bytes in the journal; absent if the disk did not take it */
  accept(body: Uint8Array, items: number, place: Place | undefined): void {
    const { clock, backlog } = this.#parts;
    if (this.#closed) {
      if (place) backlog?.release(place);
      else this.#lose(items, 'shutdown');
      return;
    }
    const { forgotten, lost } = this.#live.push(
      { body, items, takenAt: clock.epoch(), since: clock.now(), place },
      this.#sending,
    );
    this.#forget(forgotten);
    for (const batch of lost) this.#lose(batch.items, backlog ? 'disk' : 'queue_full');
    if (place) this.#placeOthers();
    if (this.#retry) this.#forget(this.#live.spill(this.#sending));
    else void this.#runLive();
  }

  /** Looks again for work, since the journal has something new to send. */
  wake(): void {
    if (!this.#retry) void this.#runBacklog();
  }

  /**
   * Sends what waits at once: it waits for no backoff, and does not bound the rate.
   * @param withinMs for how long it takes further batches from the disk, in milliseconds
   * @returns a promise that settles once nothing waits or the endpoint has refused a batch. Never rejects
   */
  async flush(withinMs: number): Promise<void> {
    const { clock } = this.#parts;
    this.#flushUntil = Math.max(this.#flushUntil, clock.now() + withinMs);
    this.#stopTimers();
    await this.#runLive();
    if (!this.#retry) await this.#runBacklog();
  }

  /** Ends. Batches on disk wait for the next process. Batches in memory alone are lost and counted. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopTimers();
    const batches = this.#live.clear();
    this.#forget(batches.filter(({ place }) => place));
    for (const { place, items } of batches) if (!place) this.#lose(items, 'shutdown');
    this.#parts.transport.close();
  }

  #runLive(): Promise<void> {
    this.#liveRun ??= this.#sendLive()
      .catch((error: unknown) => warnOfFault(this.#parts.warn, error))
      .finally(() => {
        this.#liveRun = undefined;
        this.wake();
      });
    return this.#liveRun;
  }

  async #sendLive(): Promise<void> {
    while (!this.#closed && !this.#retry) {
      const batch = this.#failures > 0 ? this.#live.newest : this.#live.oldest;
      if (!batch) return;
      this.#sending = batch;
      const result = await this.#sender.send(batch);
      this.#sending = undefined;
      if (result.status === 'later') {
        if (this.#closed) return;
        if (!this.#givesUp(batch)) this.#letOthersTry(batch);
        this.#wentAway(result);
        return;
      }
      if (batch.place) this.#parts.backlog?.settle(batch.place, batch.items);
      this.#live.remove(batch);
      this.#tried = undefined;
      this.#cameBack();
    }
  }

  #runBacklog(): Promise<void> {
    this.#backlogRun ??= this.#sendBacklog()
      .catch((error: unknown) => warnOfFault(this.#parts.warn, error))
      .finally(() => {
        this.#backlogRun = undefined;
      });
    return this.#backlogRun;
  }

  async #sendBacklog(): Promise<void> {
    const { backlog, counts, clock, signal } = this.#parts;
    while (backlog && !this.#closed && this.#mayTakeBacklog()) {
      const line = backlog.next();
      if (!line) {
        this.#tryDeferredLater();
        return;
      }
      this.#pacer.spend(line.body.byteLength, clock.now());
      const result = await this.#sender.send(line);
      if (result.status === 'later') {
        this.#putBack(line.place, backlog);
        if (!this.#closed) this.#wentAway(result);
        return;
      }
      backlog.settle(line.place, line.items);
      counts.drained(signal, result.taken);
      this.#head = undefined;
      this.#cameBack();
    }
  }

  /** Whether the backlog lane may send now. If only its rate forbids that, a timer asks again. */
  #mayTakeBacklog(): boolean {
    const { clock } = this.#parts;
    if (this.#retry) return false;
    // After a failure the newest batch is the one to try.
    if (this.#failures > 0 && this.#live.length > 0) return false;
    const now = clock.now();
    if (now < this.#flushUntil) return true;
    if (this.#live.length > (this.#sending ? 1 : 0)) return false;
    const waitMs = this.#pacer.waitMs(now);
    if (waitMs === 0) return true;
    this.#pace ??= this.#after(waitMs, () => {
      this.#pace = undefined;
      this.wake();
    });
    return false;
  }

  /** Gives a batch up after {@link MAX_AGE_MS}. If it is on disk too, it is left to the journal's caps, which count it. */
  #givesUp(batch: LiveBatch): boolean {
    const { clock, warn, signal } = this.#parts;
    if (clock.now() - batch.since < MAX_AGE_MS) return false;
    this.#live.remove(batch);
    if (batch.place) this.#forget([batch]);
    else {
      this.#lose(batch.items, 'expired');
      warn(
        `journal:expired:${signal}`,
        `${signal} that waited for 7 days are lost and counted. Start the receiver.`,
      );
    }
    return true;
  }

  /** Defers the newest batch after many tries. It may never get through, such as one so large that it times out, and others wait behind it. */
  #letOthersTry(batch: LiveBatch): void {
    const { backlog } = this.#parts;
    this.#tries = this.#tried === batch ? this.#tries + 1 : 1;
    this.#tried = batch;
    if (!batch.place || !backlog || this.#tries < TRIES_OF_THE_NEWEST) return;
    if (backlog.waiting.items <= batch.items) return;
    this.#live.remove(batch);
    this.#defer(batch.place, backlog);
  }

  #defer(place: Place, backlog: Backlog): void {
    backlog.defer(place);
    this.#hasDeferred = true;
  }

  /** All other batches were tried. Wakes the backlog lane later for the deferred ones, since perhaps no new batch comes that would. */
  #tryDeferredLater(): void {
    if (!this.#hasDeferred || this.#closed) return;
    this.#hasDeferred = false;
    this.#again ??= this.#after(DEFERRED_MS, () => {
      this.#again = undefined;
      this.wake();
    });
  }

  /** Releases a batch of the backlog that failed. If it fails again and again, it is deferred, so that it does not hold up the batches behind it. */
  #putBack(place: Place, backlog: Backlog): void {
    const known = this.#head;
    const same = known?.place.segment === place.segment && known.place.range[0] === place.range[0];
    const tries = same ? known.tries + 1 : 1;
    this.#head = { place, tries };
    if (tries < TRIES_IN_A_ROW) backlog.release(place);
    else this.#defer(place, backlog);
  }

  #wentAway(result: Extract<SendResult, { status: 'later' }>): void {
    const { random, warn, target, signal, backlog, counts } = this.#parts;
    const { reason, retryAfterMs } = result;
    counts.retried(signal);
    // The other lane has found out already.
    if (this.#retry) return;
    const delayMs = backoffMs(this.#failures, reason, retryAfterMs, random);
    this.#failures += 1;
    this.#retry = this.#after(delayMs, () => {
      this.#retry = undefined;
      if (this.#live.length > 0) void this.#runLive();
      else void this.#runBacklog();
    });
    this.#forget(this.#live.spill(this.#sending));
    warnAway({ warn, signal, target, onDisk: backlog !== undefined }, result);
  }

  #cameBack(): void {
    if (this.#closed) return;
    this.#failures = 0;
    if (!this.#retry) return;
    // The live lane had failed meanwhile and waits for its backoff.
    this.#retry.cancel();
    this.#retry = undefined;
    void this.#runLive();
  }

  /** Writes the batches that are in memory alone to the disk, which takes batches again. */
  #placeOthers(): void {
    const { backlog } = this.#parts;
    for (const batch of this.#live.unplaced) {
      const { place } = backlog?.append(batch.body, batch.items) ?? {};
      if (!place) return;
      this.#parts.counts.written(this.#parts.signal, batch.items);
      batch.place = place;
    }
  }

  #forget(batches: readonly LiveBatch[]): void {
    for (const { place } of batches) if (place) this.#parts.backlog?.release(place);
  }

  #lose(items: number, reason: 'shutdown' | 'disk' | 'queue_full' | 'expired'): void {
    this.#parts.counts.dropped(this.#parts.signal, reason, items);
  }

  #after(delayMs: number, callback: () => void): Timer {
    const timer = this.#parts.clock.setTimer(callback, delayMs);
    timer.unref();
    return timer;
  }

  #stopTimers(): void {
    this.#retry?.cancel();
    this.#pace?.cancel();
    this.#again?.cancel();
    this.#retry = undefined;
    this.#pace = undefined;
    this.#again = undefined;
  }
}
