import type { Clock, Timer } from '../core/clock.ts';
import type { Random } from '../core/random.ts';
import type { DropReason, TelemetryCounts } from './counts.ts';
import type { Signal } from './signal.ts';
import type { OtlpTransport, SendResult } from './otlp-transport.ts';
import type { Warn } from './warner.ts';

/** What a {@link DeliveryLane} is made of. */
export interface DeliveryLaneOptions {
  readonly signal: Signal;
  readonly transport: OtlpTransport;
  readonly counts: TelemetryCounts;
  readonly clock: Clock;
  readonly random: Random;
  readonly warn: Warn;
  /** The endpoint as messages show it, without secrets. */
  readonly target: string;
  /** Bytes that may wait. @defaultValue 8 MiB */
  readonly maxBytes?: number;
}

/** Bytes that may wait for a receiver, for each signal. */
export const LANE_MAX_BYTES: number = 8 * 1_024 * 1_024;

const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 5_000;
const BACKOFF_FACTOR = 1.5;
const JITTER = 0.2;
const MAX_RETRY_AFTER_MS = 60_000;

interface Batch {
  readonly body: Uint8Array;
  readonly items: number;
}

/**
 * Carries encoded batches of one signal to its endpoint, in order, one at a time. While the endpoint is away they wait in memory, up to a
 * bound; the oldest goes first, and every lost item is counted. Backoff: 1 s times 1.5, at most 5 s, within 20 % at random; `Retry-After` wins.
 */
export class DeliveryLane {
  readonly #options: DeliveryLaneOptions;
  readonly #maxBytes: number;
  readonly #queue: Batch[] = [];
  #bytes = 0;
  #draining: Promise<void> | undefined;
  #timer: Timer | undefined;
  #failures = 0;
  #lastReason: DropReason = 'shutdown';
  #closed = false;

  constructor(options: DeliveryLaneOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? LANE_MAX_BYTES;
  }

  /** Takes a batch and returns at once. */
  enqueue(body: Uint8Array, items: number): void {
    if (this.#closed) {
      this.#options.counts.dropped(this.#options.signal, 'shutdown', items);
      return;
    }
    this.#queue.push({ body, items });
    this.#bytes += body.byteLength;
    this.#makeRoom();
    if (!this.#timer) void this.#drain();
  }

  /**
   * Sends what waits, without waiting for a backoff to end.
   * @returns a promise that settles when nothing waits any more or the endpoint did not take it; never rejects
   */
  flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    return this.#drain();
  }

  /** Gives up what is left, and counts it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const batch of this.#queue.splice(0)) this.#drop(this.#lastReason, batch);
    this.#bytes = 0;
    this.#options.transport.close();
  }

  #drain(): Promise<void> {
    this.#draining ??= this.#sendAll().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #sendAll(): Promise<void> {
    for (let batch = this.#queue[0]; batch !== undefined; batch = this.#queue[0]) {
      const result = await this.#send(batch.body);
      // Closed meanwhile: the batch has been counted as lost.
      if (this.#closed) return;
      if (result.status === 'later') {
        this.#retryLater(result);
        return;
      }
      this.#queue.shift();
      this.#bytes -= batch.body.byteLength;
      this.#failures = 0;
      this.#lastReason = 'shutdown';
      this.#settle(batch, result);
    }
  }

  async #send(body: Uint8Array): Promise<SendResult> {
    try {
      return await this.#options.transport.send(body);
    } catch {
      return { status: 'later', reason: 'unreachable', detail: 'request failed', retryAfterMs: undefined };
    }
  }

  #settle(batch: Batch, result: Exclude<SendResult, { status: 'later' }>): void {
    const { counts, signal, warn, target } = this.#options;
    if (result.status === 'taken') {
      const refused = Math.min(result.refused, batch.items);
      counts.exported(signal, batch.items - refused);
      if (refused === 0) return;
      counts.dropped(signal, 'rejected', refused);
      const why = result.detail === undefined ? '' : `: ${result.detail}`;
      warn(
        `otlp:partial:${target}`,
        `OTLP at ${target} refused ${refused} of ${batch.items} ${signal}${why}.`,
      );
      return;
    }
    this.#drop('rejected', batch);
    warn(
      `otlp:rejected:${target}`,
      `OTLP at ${target} refused a batch of ${signal} for good: ${result.detail}. It is lost and counted. Check the address and what listens there.`,
    );
  }

  #retryLater(result: Extract<SendResult, { status: 'later' }>): void {
    const { clock, random, warn, target } = this.#options;
    this.#lastReason = result.reason;
    const backoff = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * BACKOFF_FACTOR ** this.#failures);
    this.#failures += 1;
    const asked =
      result.retryAfterMs === undefined ? undefined : Math.min(result.retryAfterMs, MAX_RETRY_AFTER_MS);
    this.#timer = clock.setTimer(
      () => {
        this.#timer = undefined;
        void this.#drain();
      },
      asked ?? backoff * (1 - JITTER + 2 * JITTER * random()),
    );
    this.#timer.unref();
    warn(
      `otlp:${result.reason}:${target}`,
      `OTLP at ${target} is away (${result.detail}). Calls go on; telemetry waits in memory, up to ${Math.round(this.#maxBytes / 1_048_576)} MiB for each signal, ` +
        'and what does not fit is counted in keelson.telemetry.dropped. Start a receiver there, or set OTEL_EXPORTER_OTLP_ENDPOINT.',
    );
  }

  #makeRoom(): void {
    // The first batch stays while it is on its way.
    const first = this.#draining ? 1 : 0;
    while (this.#bytes > this.#maxBytes && this.#queue.length > first + 1) {
      const [batch] = this.#queue.splice(first, 1);
      if (!batch) return;
      this.#bytes -= batch.body.byteLength;
      this.#drop('queue_full', batch);
    }
  }

  #drop(reason: DropReason, batch: Batch): void {
    this.#options.counts.dropped(this.#options.signal, reason, batch.items);
  }
}
