import { describe, expect, test } from 'vitest';
import type { SendResult } from '../../../../src/telemetry/otlp/http/answer.ts';
import { settlePromises } from '../../../../src/testing/fake-clock.ts';
import { AWAY, body, setup, TAKEN } from './delivery-bench.ts';

describe('the lane of what is new', () => {
  test('sends in order, one at a time, and counts what was taken', async () => {
    const { transport, counts, disk, take } = setup();
    take(1, 2, 3);
    expect(transport.sent).toEqual([1]);
    await settlePromises();
    expect(transport.sent).toEqual([1, 2, 3]);
    expect(counts.snapshot().traces).toMatchObject({ exported: 3, drained: 0, retries: 0 });
    expect(disk.segment.isSettled).toBe(true);
  });

  test('reports a fault of its own, where it would end the process as a rejection that nobody handles', async () => {
    const { clock, warnings, disk, delivery, take } = setup();
    const next = disk.next.bind(disk);
    disk.next = () => {
      throw new RangeError('a fault');
    };
    take(1);
    await settlePromises();
    expect(warnings).toEqual(['fault']);
    disk.leave(7);
    disk.next = next;
    delivery.wake();
    await clock.advance(1_000);
    expect(disk.segment.isSettled).toBe(true);
  });

  test('counts the part that a receiver refused', async () => {
    const { transport, counts, delivery } = setup();
    transport.answer = { status: 'taken', refused: 3, detail: 'too old' };
    delivery.accept(body(1), 10, undefined);
    await settlePromises();
    expect(counts.snapshot().traces).toMatchObject({ exported: 7, dropped: { rejected: 3 } });
  });

  test('sets a batch aside that is refused for good, and goes on with the next', async () => {
    const { transport, counts, warnings, disk, take } = setup();
    transport.answer = (size) =>
      Promise.resolve(size === 1 ? { status: 'rejected', code: 400, answer: '' } : TAKEN);
    take(1, 2);
    await settlePromises();
    expect(counts.snapshot().traces).toMatchObject({ exported: 1, dropped: { rejected: 1 } });
    expect(disk.rejected).toEqual(['rejected']);
    expect(disk.segment.isSettled).toBe(true);
    expect(warnings).toEqual(['otlp:rejected:400:http://here']);
  });

  test('keeps on disk alone what memory does not hold, and the backlog sends it', async () => {
    const { transport, counts, take, clock } = setup({
      limits: { maxPlaced: 2, maxPlacedBytes: 1_000, maxUnplacedBytes: 1_000 },
    });
    const { promise, resolve } = Promise.withResolvers<SendResult>();
    transport.answer = () => promise;
    take(1, 2, 3, 4);
    transport.answer = TAKEN;
    resolve(TAKEN);
    await clock.advance(1_000);
    expect(transport.sent).toEqual([1, 4, 2, 3]);
    expect(counts.snapshot().traces).toMatchObject({ exported: 4, drained: 2 });
  });

  test('goes on when the transport itself throws', async () => {
    const { transport, counts, clock, take } = setup();
    transport.answer = () => Promise.reject(new Error('broken'));
    take(1);
    await settlePromises();
    transport.answer = TAKEN;
    await clock.advance(1_000);
    expect(counts.snapshot().traces.exported).toBe(1);
  });
});

describe('an endpoint that is away', () => {
  test('is tried with the newest batch only, after 1 s, 1.5 s, 2.25 s, at most 5 s', async () => {
    const { transport, clock, take, counts, warnings } = setup();
    transport.answer = AWAY;
    take(1);
    await settlePromises();
    take(2, 3);
    const times: number[] = [];
    for (let ms = 0; ms < 25_000; ms += 50) {
      const before = transport.sent.length;
      await clock.advance(50);
      if (transport.sent.length > before) times.push(clock.now());
    }
    expect(times.slice(0, 3)).toEqual([1_000, 2_500, 4_750]);
    expect((times.at(-1) ?? 0) - (times.at(-2) ?? 0)).toBe(5_000);
    expect(new Set(transport.sent.slice(1))).toEqual(new Set([3]));
    expect(counts.snapshot().traces.retries).toBe(transport.sent.length);
    expect(warnings).toEqual(['otlp:unreachable::http://here']);
  });

  test('gets what is new first when it is back, then the backlog, oldest first', async () => {
    const { transport, clock, take, counts, disk } = setup();
    transport.answer = AWAY;
    take(1, 2, 3);
    await settlePromises();
    transport.answer = TAKEN;
    transport.sent.length = 0;
    take(4);
    await clock.advance(1_000);
    expect(transport.sent).toEqual([4, 1, 2, 3]);
    expect(counts.snapshot().traces).toMatchObject({ exported: 4, drained: 3 });
    expect(disk.segment.isSettled).toBe(true);
  });

  test('is asked with the head of the backlog where nothing new comes', async () => {
    const { transport, clock, disk, delivery } = setup();
    transport.answer = AWAY;
    disk.leave(7);
    disk.leave(8);
    delivery.wake();
    await settlePromises();
    transport.answer = TAKEN;
    await clock.advance(1_000);
    expect(transport.sent).toEqual([7, 7, 8]);
  });

  test('does as Retry-After asks, up to a minute, on a timer that keeps no process alive', async () => {
    const { transport, clock, take } = setup();
    transport.answer = {
      status: 'later',
      reason: 'unavailable',
      detail: 'HTTP 429',
      retryAfterMs: 3_600_000,
    };
    take(1);
    await clock.advance(59_999);
    expect(transport.sent).toHaveLength(1);
    expect(clock.timers).toEqual({ running: 1, refed: 0 });
    await clock.advance(1);
    expect(transport.sent).toHaveLength(2);
  });

  test('waits up to a minute where it is wrong and not only away, and loses nothing', async () => {
    const { transport, clock, take, counts, warnings } = setup();
    transport.answer = { status: 'later', reason: 'refused', detail: 'HTTP 404', retryAfterMs: undefined };
    take(1);
    await clock.advance(600_000);
    const tries = transport.sent.length;
    expect(tries).toBeGreaterThan(15);
    expect(tries).toBeLessThan(25);
    expect(warnings).toEqual(['otlp:refused::http://here']);
    transport.answer = TAKEN;
    await clock.advance(60_000);
    expect(counts.snapshot().traces.exported).toBe(1);
  });
});

describe('an endpoint that never takes a batch', () => {
  const DAY = 86_400_000;
  const WRONG: SendResult = { status: 'later', reason: 'refused', detail: 'a page', retryAfterMs: undefined };

  test('is sent it for seven days at most, then it is lost and counted where it was in memory alone', async () => {
    const { transport, clock, take, counts, warnings } = setup({ files: false });
    transport.answer = WRONG;
    take(1);
    await settlePromises();
    clock.block(7 * DAY - 60_000);
    clock.shiftEpoch(30 * DAY);
    await clock.advance(50_000);
    expect(counts.snapshot().traces.dropped.expired).toBe(0);
    await clock.advance(120_000);
    const tries = transport.sent.length;
    await clock.advance(600_000);
    expect(transport.sent).toHaveLength(tries);
    expect(counts.snapshot().traces.dropped.expired).toBe(1);
    expect(warnings).toEqual(['otlp:refused::http://here', 'journal:expired:traces']);
  });

  test('is let go of where it is on disk too, so that the caps of the journal reach it', async () => {
    const { transport, clock, take, counts, disk } = setup();
    transport.answer = WRONG;
    take(1);
    await settlePromises();
    expect(disk.segment.isHeld).toBe(true);
    clock.block(7 * DAY);
    await clock.advance(0);
    expect(disk.segment.isHeld).toBe(false);
    expect(disk.waiting.items).toBe(1);
    expect(counts.snapshot().traces.dropped.expired).toBe(0);
  });
});

describe('the lane of the backlog', () => {
  const KIB = 1_024;

  test('keeps to its rate, however much waits', async () => {
    const { transport, clock, disk, delivery } = setup({ backlogRate: 100 * KIB });
    for (let i = 0; i < 100; i += 1) disk.leave(10 * KIB);
    delivery.wake();
    for (let second = 1; second <= 5; second += 1) {
      await clock.advance(1_000);
      // 50 ms of burst, and the line that is on its way.
      expect(transport.sent.length).toBeGreaterThanOrEqual(10 * second);
      expect(transport.sent.length).toBeLessThanOrEqual(10 * second + 2);
    }
  });

  test('waits while something new waits', async () => {
    const { transport, clock, disk, delivery, take } = setup();
    const gates: ((result: SendResult) => void)[] = [];
    transport.answer = () =>
      new Promise((resolve) => {
        gates.push(resolve);
      });
    disk.leave(100);
    take(1, 2, 3);
    delivery.wake();
    for (let i = 0; i < 4; i += 1) {
      await clock.advance(10);
      gates.shift()?.(TAKEN);
    }
    await clock.advance(10);
    expect(transport.sent.slice(0, 2)).toEqual([1, 2]);
    expect(transport.sent.indexOf(100)).toBeGreaterThanOrEqual(2);
  });

  test('puts a batch that fails again and again behind the others', async () => {
    const { transport, clock, disk, delivery, counts } = setup();
    transport.answer = (size) => Promise.resolve(size === 13 ? AWAY : TAKEN);
    disk.leave(13);
    disk.leave(14);
    disk.leave(15);
    delivery.wake();
    await clock.advance(60_000);
    expect(transport.sent.filter((size) => size === 13).length).toBeGreaterThanOrEqual(5);
    expect(transport.sent).toContain(14);
    expect(transport.sent).toContain(15);
    expect(counts.snapshot().traces).toMatchObject({ exported: 2, dropped: { rejected: 0 } });
  });
});

describe('a flush', () => {
  test('sends everything without pace and without waiting for a backoff, new things first', async () => {
    const { transport, disk, delivery, take } = setup({ backlogRate: 1 });
    transport.answer = AWAY;
    disk.leave(50);
    disk.leave(60);
    take(1);
    await settlePromises();
    transport.answer = TAKEN;
    transport.sent.length = 0;
    await delivery.flush(1_000);
    expect(transport.sent).toEqual([1, 50, 60]);
  });

  test('ends where the endpoint does not take it', async () => {
    const { transport, delivery, take, clock } = setup();
    transport.answer = AWAY;
    take(1, 2);
    await settlePromises();
    await delivery.flush(1_000);
    expect(transport.sent).toEqual([1, 2]);
    expect(clock.timers).toEqual({ running: 1, refed: 0 });
  });

  test('goes back to the pace when its time is over', async () => {
    const { transport, disk, delivery, clock } = setup({ backlogRate: 1 });
    for (let i = 0; i < 10; i += 1) disk.leave(1_000);
    transport.answer = () => {
      clock.block(100);
      return Promise.resolve(TAKEN);
    };
    await delivery.flush(250);
    expect(transport.sent).toHaveLength(3);
  });
});

describe('memory', () => {
  const limits = { maxPlaced: 64, maxPlacedBytes: 1_000, maxUnplacedBytes: 10 };

  test('drops the oldest batch first where no files are written, and counts it', async () => {
    const { transport, counts, clock, take } = setup({ files: false, limits });
    transport.answer = AWAY;
    take(4);
    await settlePromises();
    take(5, 6);
    expect(counts.snapshot().traces.dropped.queue_full).toBe(2);
    transport.answer = TAKEN;
    await clock.advance(5_000);
    expect(transport.sent.slice(1)).toEqual([6]);
  });

  test('does not drop the batch that is on its way', async () => {
    const { transport, counts, take } = setup({ files: false, limits });
    const { promise, resolve } = Promise.withResolvers<SendResult>();
    transport.answer = () => promise;
    take(8);
    transport.answer = TAKEN;
    take(9, 10);
    expect(counts.snapshot().traces.dropped.queue_full).toBe(1);
    resolve(TAKEN);
    await settlePromises();
    expect(counts.snapshot().traces.exported).toBe(2);
  });

  test('holds what a full disk does not take, within its bound, and gives it to the disk when that recovers', async () => {
    const { transport, counts, disk, delivery, take } = setup({ limits });
    transport.answer = AWAY;
    disk.full = true;
    take(4, 5, 6);
    await settlePromises();
    expect(counts.snapshot().traces.dropped.disk).toBe(1);
    expect(delivery.unplaced).toMatchObject({ items: 2, bytes: 10 });
    disk.full = false;
    take(7);
    expect(delivery.unplaced).toMatchObject({ items: 0, bytes: 0 });
    expect(disk.waiting).toMatchObject({ items: 3, bytes: 17 });
    delivery.close();
    expect(counts.snapshot().traces.dropped.shutdown).toBe(0);
  });

  test('is given up at the end, and counted where it was the only place', async () => {
    const { transport, counts, delivery, disk, take } = setup();
    transport.answer = AWAY;
    take(1);
    delivery.accept(body(1), 5, undefined);
    await settlePromises();
    delivery.close();
    delivery.close();
    delivery.accept(body(1), 2, undefined);
    expect(counts.snapshot().traces.dropped).toMatchObject({ shutdown: 7 });
    expect(disk.segment.next).toEqual([0, 1]);
    expect(transport.closed).toBe(true);
  });
});
