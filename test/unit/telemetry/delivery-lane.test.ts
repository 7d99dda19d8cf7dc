import { describe, expect, it } from 'vitest';

import { TelemetryCounts } from '../../../src/telemetry/counts.ts';
import { DeliveryLane } from '../../../src/telemetry/delivery-lane.ts';
import type { OtlpTransport, SendResult } from '../../../src/telemetry/otlp-transport.ts';
import { FakeClock, settlePromises } from '../../../src/testing/fake-clock.ts';

const TAKEN: SendResult = { status: 'taken', refused: 0, detail: undefined };
const AWAY: SendResult = {
  status: 'later',
  reason: 'unreachable',
  detail: 'ECONNREFUSED',
  retryAfterMs: undefined,
};
const body = (size: number): Uint8Array => new Uint8Array(size);

class ScriptedTransport implements OtlpTransport {
  answer: SendResult | (() => Promise<SendResult>) = TAKEN;
  readonly sent: number[] = [];
  closed = false;

  send(bytes: Uint8Array): Promise<SendResult> {
    this.sent.push(bytes.byteLength);
    return typeof this.answer === 'function' ? this.answer() : Promise.resolve(this.answer);
  }

  close(): void {
    this.closed = true;
  }
}

function setup(maxBytes?: number): {
  clock: FakeClock;
  transport: ScriptedTransport;
  counts: TelemetryCounts;
  warnings: string[];
  lane: DeliveryLane;
} {
  const clock = new FakeClock();
  const transport = new ScriptedTransport();
  const counts = new TelemetryCounts();
  const warnings: string[] = [];
  const lane = new DeliveryLane({
    signal: 'traces',
    transport,
    counts,
    clock,
    random: () => 0.5,
    warn: (kind) => warnings.push(kind),
    target: 'http://here',
    ...(maxBytes !== undefined && { maxBytes }),
  });
  return { clock, transport, counts, warnings, lane };
}

describe('the lane to a receiver', () => {
  it('sends in order, one at a time, and counts what was taken', async () => {
    const { lane, transport, counts } = setup();
    lane.enqueue(body(1), 10);
    lane.enqueue(body(2), 20);
    expect(transport.sent).toEqual([1]);
    await settlePromises();
    expect(transport.sent).toEqual([1, 2]);
    expect(counts.snapshot().traces).toMatchObject({ exported: 30 });
  });

  it('keeps what a receiver that is away did not take, and backs off: 1 s, 1.5 s, 2.25 s, at most 5 s', async () => {
    const { lane, transport, clock, counts } = setup();
    transport.answer = AWAY;
    lane.enqueue(body(1), 1);
    const times: number[] = [];
    let seen = 0;
    for (let ms = 0; ms < 25_000; ms += 50) {
      await clock.advance(50);
      if (transport.sent.length > seen + (seen === 0 ? 1 : 0)) times.push(clock.now());
      seen = transport.sent.length;
    }
    expect(times.slice(0, 3)).toEqual([1_000, 2_500, 4_750]);
    expect((times.at(-1) ?? 0) - (times.at(-2) ?? 0)).toBe(5_000);
    expect(counts.snapshot().traces).toMatchObject({ exported: 0, dropped: { unreachable: 0 } });
    transport.answer = TAKEN;
    await clock.advance(5_000);
    expect(counts.snapshot().traces.exported).toBe(1);
  });

  it('does as Retry-After asks, up to a minute, on a timer that keeps no process alive', async () => {
    const { lane, transport, clock } = setup();
    transport.answer = {
      status: 'later',
      reason: 'unavailable',
      detail: 'HTTP 429',
      retryAfterMs: 3_600_000,
    };
    lane.enqueue(body(1), 1);
    await clock.advance(59_999);
    expect(transport.sent).toHaveLength(1);
    expect(clock.timers).toEqual({ running: 1, refed: 0 });
    await clock.advance(1);
    expect(transport.sent).toHaveLength(2);
  });

  it('drops the oldest batch first when memory is full, and counts it', async () => {
    const { lane, transport, counts, clock } = setup(10);
    transport.answer = AWAY;
    lane.enqueue(body(4), 1);
    await settlePromises();
    lane.enqueue(body(5), 2);
    lane.enqueue(body(6), 4);
    expect(counts.snapshot().traces.dropped.queue_full).toBe(3);
    transport.answer = TAKEN;
    await clock.advance(5_000);
    expect(transport.sent.slice(1)).toEqual([6]);
  });

  it('does not drop the batch that is on its way', async () => {
    const { lane, transport, counts } = setup(10);
    const { promise, resolve } = Promise.withResolvers<SendResult>();
    transport.answer = () => promise;
    lane.enqueue(body(8), 1);
    transport.answer = TAKEN;
    lane.enqueue(body(9), 2);
    lane.enqueue(body(10), 4);
    expect(counts.snapshot().traces.dropped.queue_full).toBe(2);
    resolve(TAKEN);
    await settlePromises();
    expect(counts.snapshot().traces.exported).toBe(5);
  });

  it('gives a batch up that is refused for good, and goes on with the next', async () => {
    const { lane, transport, counts, warnings } = setup();
    transport.answer = { status: 'refused', detail: 'HTTP 400' };
    lane.enqueue(body(1), 7);
    await settlePromises();
    transport.answer = TAKEN;
    lane.enqueue(body(2), 1);
    await settlePromises();
    expect(counts.snapshot().traces).toMatchObject({ exported: 1, dropped: { rejected: 7 } });
    expect(warnings).toEqual(['otlp:rejected:http://here']);
  });

  it('counts the part that a receiver refused', async () => {
    const { lane, transport, counts } = setup();
    transport.answer = { status: 'taken', refused: 3, detail: 'too old' };
    lane.enqueue(body(1), 10);
    await settlePromises();
    expect(counts.snapshot().traces).toMatchObject({ exported: 7, dropped: { rejected: 3 } });
  });

  it('flushes without waiting for the backoff, once, and leaves what is not taken waiting', async () => {
    const { lane, transport, counts } = setup();
    transport.answer = AWAY;
    lane.enqueue(body(1), 1);
    lane.enqueue(body(2), 1);
    await settlePromises();
    await lane.flush();
    expect(transport.sent).toEqual([1, 1]);
    transport.answer = TAKEN;
    await lane.flush();
    expect(transport.sent).toEqual([1, 1, 1, 2]);
    expect(counts.snapshot().traces.exported).toBe(2);
  });

  it('counts what is left at the end under the reason for which it stayed', async () => {
    const { lane, transport, counts } = setup();
    transport.answer = AWAY;
    lane.enqueue(body(1), 5);
    await settlePromises();
    lane.close();
    lane.close();
    lane.enqueue(body(1), 2);
    expect(counts.snapshot().traces.dropped).toMatchObject({ unreachable: 5, shutdown: 2 });
    expect(transport.closed).toBe(true);
  });

  it('goes on when the transport itself throws', async () => {
    const { lane, transport, counts, clock } = setup();
    transport.answer = () => Promise.reject(new Error('broken'));
    lane.enqueue(body(1), 1);
    await settlePromises();
    transport.answer = TAKEN;
    await clock.advance(1_000);
    expect(counts.snapshot().traces.exported).toBe(1);
  });
});
