import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { JournalBench, line, numberOf } from './journal-bench.ts';
import type { Process } from './journal-bench.ts';

/** Appends lines that no lane holds. */
function leave({ traces }: Process, ...numbers: number[]): void {
  for (const number of numbers) {
    const { place } = traces.append(line(number, 2), 2);
    if (place) traces.release(place);
  }
}

describe('the journal of a signal', () => {
  test('appends a batch as a line of a segment that belongs to this process, and makes its lock first', () => {
    using bench = new JournalBench();
    const one = bench.start(7);
    expect(bench.list()).toEqual([]);
    expect(one.traces.append(line(1), 1).place?.range).toEqual([0, line(1).byteLength + 1]);
    const [segment = ''] = bench.list('traces');
    const [lock = ''] = bench.list('owners');
    expect(segment).toMatch(/^2026-11-22T014500000Z-7-[0-9a-f]{8}-0\.jsonl$/);
    expect(segment).toContain(lock.replace('.lock', ''));
    expect(JSON.parse(bench.text('owners', lock))).toEqual({
      version: 1,
      pid: 7,
      startTicks: '70',
      bootId: 'boot',
      pidNamespace: 'pid:[1]',
      host: 'here',
      startedAt: '2026-11-22T01:45:00.000Z',
    });
    expect(bench.text('traces', segment)).toBe(`${line(1).toString()}\n`);
  });

  test('takes another name where a lock of the same name exists', () => {
    using bench = new JournalBench();
    const one = bench.start(7, { seed: 42 });
    one.traces.append(line(1), 1);
    const two = bench.start(7, { seed: 42 });
    two.traces.append(line(2), 1);
    expect(bench.list('owners')).toHaveLength(2);
    expect(bench.list('traces')).toHaveLength(2);
  });

  test('gives what waits, oldest first, but nothing that a lane holds', () => {
    using bench = new JournalBench();
    const one = bench.start(7);
    const held = one.traces.append(line(1), 1).place;
    leave(one, 2, 3);
    expect(one.drain()).toEqual([2, 3]);
    expect(one.traces.waiting).toMatchObject({ items: 1, bytes: line(1).byteLength + 1 });
    if (held) one.traces.release(held);
    expect(one.drain()).toEqual([1]);
    expect(one.traces.waiting).toEqual({ items: 0, bytes: 0, oldestAt: undefined });
  });

  test('keeps what nobody wants sent, and waits for nobody', () => {
    using bench = new JournalBench();
    const one = bench.start(7, { delivers: false });
    one.traces.append(line(1), 1);
    expect(one.traces.waiting.items).toBe(0);
    expect(one.drain()).toEqual([]);
  });

  test('tells how long the oldest has waited, to ten seconds', async () => {
    using bench = new JournalBench();
    const one = bench.start(7);
    const start = bench.clock.epoch();
    leave(one, 1);
    await bench.clock.advance(60_000);
    leave(one, 2);
    expect(one.traces.waiting.oldestAt).toBe(start);
    const first = one.traces.next();
    if (first) one.traces.settle(first.place, first.items);
    expect(one.traces.waiting.oldestAt).toBe(start + 60_000);
  });

  test('reads lines of every length', () => {
    using bench = new JournalBench();
    const one = bench.start(7);
    const sizes = [0, 1, 300_000, 5, 1_000_000, 262_143, 262_144, 7, 2_000_000, 3];
    for (const [i, size] of sizes.entries()) {
      const body = Buffer.from(JSON.stringify({ resourceSpans: [{ number: i, text: 'ä'.repeat(size) }] }));
      const { place } = one.traces.append(body, 1);
      if (place) one.traces.release(place);
    }
    expect(one.drain()).toEqual(sizes.map((_, i) => i));
  });

  test('saves what was delivered at most 200 ms later, several deliveries at once', async () => {
    using bench = new JournalBench();
    const one = bench.start(7);
    leave(one, 1, 2);
    one.drain();
    const cursor = (): string | undefined => bench.list('owners').find((name) => name.includes('cursor'));
    await bench.clock.advance(199);
    expect(cursor()).toBeUndefined();
    await bench.clock.advance(1);
    expect(JSON.parse(bench.text('owners', cursor() ?? ''))).toMatchObject({
      version: 1,
      savedAt: bench.clock.epoch(),
      segments: { [`traces/${bench.list('traces')[0]}`]: [[0, 2 * (line(1, 2).byteLength + 1)]] },
    });
  });

  test('sets damaged lines aside with a count, and goes on behind them', async () => {
    using bench = new JournalBench();
    const one = bench.start(7);
    leave(one, 1);
    const path = bench.path('traces', bench.list('traces')[0] ?? '');
    const bad = '{"startTimeUnixNano":"1","startTimeUnixNano": half';
    const damaged = `${line(1, 2).toString()}\n${bad}\n\n[]\n${line(4).toString()}\n`;
    bench.kill(7);
    writeFileSync(path, damaged);
    const two = bench.start(8);
    await bench.clock.advance(1_000);
    expect(two.drain()).toEqual([1, 4]);
    expect(two.counts.snapshot().traces.dropped.damaged).toBe(3);
    expect(two.warnings).toHaveLength(2);
    const rejected = bench.list('rejected', 'traces');
    expect(rejected).toHaveLength(4);
    const [record = '', text = ''] = rejected;
    expect(JSON.parse(bench.text('rejected', 'traces', record))).toMatchObject({
      reason: 'damaged',
      items: 2,
    });
    expect(bench.text('rejected', 'traces', text)).toBe(`${bad}\n`);
    expect(two.traces.waiting.items).toBe(0);
  });

  test('sets a tail aside that a process did not write to its end', async () => {
    using bench = new JournalBench();
    const one = bench.start(7);
    leave(one, 1);
    appendFileSync(bench.path('traces', bench.list('traces')[0] ?? ''), '{"resourceSpans":[{"half');
    bench.kill(7);
    const two = bench.start(8);
    await bench.clock.advance(1_000);
    expect(two.drain()).toEqual([1]);
    expect(two.counts.snapshot().traces.dropped.damaged).toBe(1);
  });

  test('counts what was removed by hand, and says so', () => {
    using bench = new JournalBench();
    const one = bench.start(7);
    leave(one, 1, 2);
    rmSync(bench.path('traces', bench.list('traces')[0] ?? ''));
    expect(one.drain()).toEqual([]);
    expect(one.counts.snapshot().traces.dropped.disk).toBe(4);
    expect(one.warnings).toEqual([expect.stringContaining('was removed before it was sent')]);
    leave(one, 3);
    expect(one.drain()).toEqual([3]);
  });

  test('counts what was cut off by hand', () => {
    using bench = new JournalBench();
    const one = bench.start(7);
    leave(one, 1, 2);
    truncateSync(bench.path('traces', bench.list('traces')[0] ?? ''), 0);
    expect(one.drain()).toEqual([]);
    expect(one.counts.snapshot().traces.dropped.disk).toBe(4);
  });

  test('counts nothing where another process has taken a segment over', () => {
    using bench = new JournalBench();
    const one = bench.start(7);
    leave(one, 1);
    const [name = ''] = bench.list('traces');
    renameSync(bench.path('traces', name), bench.path('traces', name.replace(/-7-[0-9a-f]+-/, '-8-abcd-')));
    expect(one.drain()).toEqual([]);
    expect(one.counts.snapshot().traces.dropped.disk).toBe(0);
    leave(one, 2);
    expect(one.drain()).toEqual([2]);
  });

  test('leaves a segment that cannot be read for a minute, and sends the others', async () => {
    using bench = new JournalBench();
    const one = bench.start(7);
    leave(one, 1);
    one.files.failRead = 'EIO';
    expect(one.traces.next()).toBeUndefined();
    one.files.failRead = undefined;
    expect(one.warnings).toEqual([expect.stringContaining('EIO')]);
    expect(one.traces.next()).toBeUndefined();
    await bench.clock.advance(60_000);
    expect(numberOf(one.traces.next())).toBe(1);
  });

  test('says why the disk did not take a batch', () => {
    using bench = new JournalBench();
    const one = bench.start(7);
    leave(one, 1);
    one.files.appendAtMost = 0;
    one.files.failAppend = 'EROFS';
    expect(one.traces.append(line(2), 1)).toMatchObject({ code: 'EROFS' });
    expect(one.drain()).toEqual([1]);
  });
});
