import { TelemetryCounts } from '../../../../src/telemetry/counts.ts';
import { Delivery } from '../../../../src/telemetry/delivery/delivery.ts';
import type { DeliveryParts } from '../../../../src/telemetry/delivery/delivery.ts';
import { Segment } from '../../../../src/telemetry/journal/segment.ts';
import type { Place } from '../../../../src/telemetry/journal/segment.ts';
import type { BacklogLine } from '../../../../src/telemetry/journal/signal-journal.ts';
import type { SendResult } from '../../../../src/telemetry/otlp/http/answer.ts';
import type { OtlpTransport } from '../../../../src/telemetry/otlp/http/http-transport.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';

export const TAKEN: SendResult = { status: 'taken', refused: 0, detail: undefined };
export const AWAY: SendResult = {
  status: 'later',
  reason: 'unreachable',
  detail: 'ECONNREFUSED',
  retryAfterMs: undefined,
};
export const body = (size: number): Uint8Array => new Uint8Array(size);

/** Answers as it is told; what was sent is known by its size. */
export class ScriptedTransport implements OtlpTransport {
  answer: SendResult | ((size: number) => Promise<SendResult>) = TAKEN;
  readonly sent: number[] = [];
  closed = false;

  send(bytes: Uint8Array): Promise<SendResult> {
    this.sent.push(bytes.byteLength);
    return typeof this.answer === 'function' ? this.answer(bytes.byteLength) : Promise.resolve(this.answer);
  }

  close(): void {
    this.closed = true;
  }
}

/** A journal in memory: lines of one item, known by their size. */
export class MemoryBacklog {
  full = false;
  readonly rejected: string[] = [];
  readonly segment: Segment = new Segment({
    signal: 'traces',
    name: 's',
    path: '/s',
    openedAt: 0,
    size: 0,
    settled: [],
    items: 0,
  });
  #deferred: Place[] = [];

  append(bytes: Uint8Array, items: number): { place: Place } | { code: string; error: unknown } {
    if (this.full) return { code: 'ENOSPC', error: undefined };
    const from = this.segment.size;
    const range = [from, from + bytes.byteLength] as const;
    this.segment.grow(range, items, 0);
    this.segment.hold(range, items);
    this.#ends.push(range[1]);
    return { place: { segment: this.segment, range } };
  }

  readonly #ends: number[] = [];

  /** Puts a line there that no lane has. */
  leave(size: number): void {
    const outcome = this.append(body(size), 1);
    if ('place' in outcome) this.release(outcome.place);
  }

  next(): BacklogLine | undefined {
    const from = this.segment.next?.[0];
    const to = this.#ends.find((end) => from !== undefined && end > from);
    if (from === undefined || to === undefined) {
      for (const place of this.#deferred.splice(0)) this.release(place);
      return undefined;
    }
    this.segment.hold([from, to], 1);
    return { place: { segment: this.segment, range: [from, to] }, body: body(to - from), items: 1 };
  }

  settle({ segment, range }: Place, items: number): void {
    segment.settle(range, items);
  }

  release({ segment, range }: Place): void {
    segment.release(range);
  }

  defer(place: Place): void {
    this.#deferred.push(place);
  }

  setAside({ reason }: { reason: string }): void {
    this.rejected.push(reason);
  }

  get waiting(): { items: number; bytes: number; oldestAt: undefined } {
    return { ...this.segment.waiting, oldestAt: undefined };
  }
}

export interface Bench {
  readonly clock: FakeClock;
  readonly transport: ScriptedTransport;
  readonly counts: TelemetryCounts;
  readonly warnings: string[];
  readonly disk: MemoryBacklog;
  readonly delivery: Delivery;
  /** Appends a batch of `size` bytes and one item, and hands it over. */
  readonly take: (...sizes: number[]) => void;
}

export function setup({ files = true, ...more }: Partial<DeliveryParts> & { files?: boolean } = {}): Bench {
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  const counts = new TelemetryCounts();
  const warnings: string[] = [];
  const disk = new MemoryBacklog();
  const delivery = new Delivery({
    signal: 'traces',
    transport,
    counts,
    clock,
    random: () => 0.5,
    warn: (kind) => {
      if (!warnings.includes(kind)) warnings.push(kind);
    },
    target: 'http://here',
    ...(files && { backlog: disk }),
    ...more,
  });
  const take = (...sizes: number[]): void => {
    for (const size of sizes) {
      const outcome = files ? disk.append(body(size), 1) : undefined;
      delivery.accept(body(size), 1, outcome && 'place' in outcome ? outcome.place : undefined);
    }
  };
  return { clock, transport, counts, warnings, disk, delivery, take };
}
