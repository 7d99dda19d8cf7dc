import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { JournalBench, line } from './journal-bench.ts';
import type { Process } from './journal-bench.ts';

const SIZE = line(10, 2).byteLength + 1;
const LOOK_MS = 30_000;

/** Appends lines that no lane holds. */
function leave({ traces }: Process, ...numbers: number[]): void {
  for (const number of numbers) {
    const { place } = traces.append(line(number, 2), 2);
    if (place) traces.release(place);
  }
}

describe('a process that ends', () => {
  test('leaves no lock, and what was delivered to the next, which archives it', async () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    leave(one, 1, 2);
    one.drain();
    one.journal.leave();
    expect(bench.list('owners')).toEqual([expect.stringMatching(/^1-.*\.cursor\.json$/)]);
    const two = bench.start(2);
    await two.journal.firstLook();
    expect(two.drain()).toEqual([]);
    expect(bench.list('traces')).toEqual([expect.stringMatching(/\.jsonl\.gz$/)]);
  });

  test('leaves what waits without a lock, and what comes after that too', async () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    leave(one, 1, 2);
    const first = one.traces.next();
    if (first) one.traces.settle(first.place, first.items);
    one.journal.leave();
    leave(one, 3);
    expect(bench.list('owners')).toEqual([expect.stringMatching(/\.cursor\.json$/)]);
    bench.kill(1);
    const two = bench.start(2);
    await two.journal.firstLook();
    expect(two.drain()).toEqual([2, 3]);
  });

  test('sends what others left, although it lives too short for a look of its own', async () => {
    using bench = new JournalBench();
    leave(bench.start(1), 1);
    bench.kill(1);
    const two = bench.start(2);
    await two.journal.firstLook();
    expect(two.drain()).toEqual([1]);
  });

  test('keeps the caps for what the dead left, where nobody lives long enough to take it over', async () => {
    using bench = new JournalBench();
    const limits = { maxTotalBytes: 5 * SIZE, maxAgeMs: Number.POSITIVE_INFINITY, segmentBytes: SIZE };
    for (let pid = 1; pid <= 12; pid += 1) {
      leave(bench.start(pid, { limits }), pid + 20);
      bench.kill(pid);
      await bench.clock.advance(1);
    }
    const last = bench.start(13, { limits });
    leave(last, 33);
    last.journal.leave();
    expect(bench.list('traces')).toHaveLength(4);
    expect(last.counts.snapshot().traces.dropped.evicted).toBe(18);
    expect(last.warnings).toContainEqual(expect.stringContaining('The journal is full'));
    const next = bench.start(14, { limits });
    await next.journal.firstLook();
    expect(next.drain()).toEqual([30, 31, 32, 33]);
  });

  test('takes nothing away from a process that lives', async () => {
    using bench = new JournalBench();
    const limits = { maxTotalBytes: 2 * SIZE, maxAgeMs: Number.POSITIVE_INFINITY, segmentBytes: SIZE };
    const one = bench.start(1);
    leave(one, 1, 2, 3);
    const two = bench.start(2, { limits });
    leave(two, 4);
    two.journal.leave();
    expect(one.drain()).toEqual([1, 2, 3]);
  });
});

describe('what has the name of a segment and is no file', () => {
  test('is left alone and said', async () => {
    using bench = new JournalBench();
    const folder = '2026-11-22T000000000Z-5-abcd-0.jsonl';
    mkdirSync(bench.path('traces', folder), { recursive: true });
    const one = bench.start(1);
    await one.journal.firstLook();
    expect(bench.list('traces')).toEqual([folder]);
    expect(one.traces.waiting.bytes).toBe(0);
    expect(one.warnings).toEqual([expect.stringContaining("a file that is not the journal's")]);
  });
});

describe('many orphans', () => {
  test('are taken over with few saves of the cursor, while the event loop turns', async () => {
    using bench = new JournalBench();
    for (let pid = 1; pid <= 200; pid += 1) {
      leave(bench.start(pid), pid);
      bench.kill(pid);
    }
    const heir = bench.start(999);
    let turns = 0;
    let looking = true;
    let before = 0;
    let most = 0;
    const count = (): void => {
      turns += 1;
      const left = bench.list('owners').length;
      most = Math.max(most, before - left);
      before = left;
      if (looking) setImmediate(count);
    };
    count();
    await heir.journal.firstLook();
    looking = false;
    most = Math.max(most, before - bench.list('owners').length);
    expect(heir.files.replaced).toBeLessThan(10);
    expect(turns).toBeGreaterThan(5);
    expect(most).toBeLessThan(100);
    expect(bench.list('owners')).toHaveLength(2);
    expect(heir.drain()).toHaveLength(200);
  });
});

describe('a disk that is full of what was delivered', () => {
  test('has room again: what cannot be made into an archive goes', async () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    leave(one, 1);
    one.drain();
    one.traces.endSegment();
    one.files.failAppend = 'ENOSPC';
    await bench.clock.advance(LOOK_MS + 1_000);
    expect(bench.list('traces')).toEqual([]);
  });

  test('gives archives, rejected batches and delivered segments up for a batch that it does not take', () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    leave(one, 1);
    one.drain();
    one.traces.endSegment();
    leave(one, 2);
    mkdirSync(bench.path('rejected', 'logs'), { recursive: true });
    const archive = '2026-11-22T000000000Z-5-abcd-0.jsonl.gz';
    writeFileSync(bench.path('traces', archive), 'x');
    writeFileSync(bench.path('rejected', 'logs', '2026-11-22T000000000Z-5-abcd-0.jsonl'), 'x');
    one.files.failAppend = 'ENOSPC';
    one.files.appendAtMost = 0;
    expect(one.traces.append(line(3, 2), 2).place).toBeUndefined();
    expect(bench.list('rejected', 'logs')).toEqual([]);
    expect(bench.list('traces')).toHaveLength(1);
    expect(one.drain()).toEqual([2]);
  });

  test('has the cursor saved as soon as it takes anything again', async () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    leave(one, 1, 2);
    const first = one.traces.next();
    if (first) one.traces.settle(first.place, first.items);
    one.files.failAppend = 'ENOSPC';
    await bench.clock.advance(200);
    one.files.failAppend = undefined;
    await bench.clock.advance(1_000);
    bench.kill(1);
    const two = bench.start(2);
    await two.journal.firstLook();
    expect(two.drain()).toEqual([2]);
  });
});

describe('a batch whose file is removed while it is on its way', () => {
  test('is not counted as lost, for it is in memory too', () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    const { place } = one.traces.append(line(1, 2), 2);
    leave(one, 2);
    rmSync(bench.path('traces'), { recursive: true });
    expect(one.drain()).toEqual([]);
    expect(one.counts.snapshot().traces.dropped.disk).toBe(2);
    if (place) one.traces.settle(place, 2);
    expect(one.counts.snapshot().traces.dropped.disk).toBe(2);
  });

  test('is found out in an outage too, when nothing is read', async () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    leave(one, 1, 2);
    rmSync(bench.path('traces'), { recursive: true });
    await bench.clock.advance(LOOK_MS + 1_000);
    expect(one.traces.waiting.items).toBe(0);
    expect(one.counts.snapshot().traces.dropped.disk).toBe(4);
  });

  test('is counted once it leaves the memory', () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    const { place } = one.traces.append(line(1, 2), 2);
    leave(one, 2);
    rmSync(bench.path('traces'), { recursive: true });
    one.drain();
    if (place) one.traces.release(place);
    expect(one.counts.snapshot().traces.dropped.disk).toBe(4);
  });
});
