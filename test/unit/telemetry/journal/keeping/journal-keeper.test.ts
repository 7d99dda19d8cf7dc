import { readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { parseSegmentName } from '../../../../../src/telemetry/journal/format/segment-name.ts';
import { settlePromises } from '../../../../../src/testing/fake-clock.ts';
import { eventually } from '../../../../support/otlp-receiver.ts';
import { JournalBench, line } from '../journal-bench.ts';
import type { Process } from '../journal-bench.ts';

/** Appends lines that no lane holds. */
function leave({ traces }: Process, ...numbers: number[]): void {
  for (const number of numbers) {
    const { place } = traces.append(line(number, 2), 2);
    if (place) traces.release(place);
  }
}
const FIRST_LOOK_MS = 1_000;
const LOOK_MS = 30_000;

describe('what a dead process left', () => {
  test('is taken over by the next one, which sends what was not delivered', async () => {
    using bench = new JournalBench();
    const one = bench.start(7);
    leave(one, 1, 2, 3);
    const first = one.traces.next();
    if (first) one.traces.settle(first.place, first.items);
    await bench.clock.advance(200);
    bench.kill(7);
    const two = bench.start(8);
    await bench.clock.advance(FIRST_LOOK_MS);
    expect(two.traces.waiting.items).toBe(4);
    expect(two.drain()).toEqual([2, 3]);
    expect(bench.list('traces')).toEqual([expect.stringMatching(/^2026-11-22T014500000Z-8-/)]);
    expect(bench.list('owners').filter((name) => name.startsWith('7-'))).toEqual([]);
  });

  test('is removed where it is a cursor that did not get in its place, and only that of the dead', async () => {
    using bench = new JournalBench();
    for (const pid of [7, 8]) {
      const one = bench.start(pid, { delivers: false });
      leave(one, pid);
      one.journal.flush();
    }
    const [seven = '', eight = ''] = bench.list('owners').filter((name) => name.endsWith('.lock'));
    const beside = (lock: string): string => lock.replace('.lock', '.cursor.json.4711.tmp');
    for (const lock of [seven, eight]) writeFileSync(bench.path('owners', beside(lock)), '{"version":1');
    bench.kill(7);
    bench.start(9);
    await bench.clock.advance(FIRST_LOOK_MS);
    expect(bench.list('owners')).not.toContain(beside(seven));
    expect(bench.list('owners')).toContain(beside(eight));
  });

  test('is left alone while its owner lives', async () => {
    using bench = new JournalBench();
    const one = bench.start(7);
    leave(one, 1);
    const two = bench.start(8);
    await bench.clock.advance(FIRST_LOOK_MS + 4 * LOOK_MS);
    expect(two.drain()).toEqual([]);
    expect(one.drain()).toEqual([1]);
  });

  test('is taken over once, by whoever is first', async () => {
    using bench = new JournalBench();
    for (const pid of [1, 2, 3]) leave(bench.start(pid), pid * 10, pid * 10 + 1);
    for (const pid of [1, 2, 3]) bench.kill(pid);
    const adopters = [7, 8, 9].map((pid) => bench.start(pid));
    await bench.clock.advance(FIRST_LOOK_MS);
    await settlePromises();
    const all = adopters.flatMap(({ drain }) => drain());
    expect(all.sort((a, b) => a - b)).toEqual([10, 11, 20, 21, 30, 31]);
  });

  test('is taken over in slices of a few milliseconds, oldest first, however much it is and however slow the disk', async () => {
    using bench = new JournalBench();
    const numbers = Array.from({ length: 120 }, (_, i) => i);
    for (const number of numbers) {
      leave(bench.start(1_000 + number), number);
      bench.kill(1_000 + number);
      bench.clock.shiftEpoch(1);
    }
    const last = bench.start(1);
    last.files.onFacts = () => bench.clock.block(1);
    const turns: number[] = [];
    let from = bench.clock.now();
    let looking = true;
    const turn = (): void => {
      turns.push(bench.clock.now() - from);
      from = bench.clock.now();
      if (looking) setImmediate(turn);
    };
    setImmediate(turn);
    await last.journal.firstLook();
    looking = false;
    last.files.onFacts = undefined;
    expect(turns.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(2 * numbers.length);
    expect(Math.max(...turns)).toBeLessThanOrEqual(12);
    expect(last.drain()).toEqual(numbers);
    expect(bench.list('owners').filter((name) => !name.startsWith('1-'))).toEqual([]);
  });

  test('goes from hand to hand, and what each has delivered stays delivered', async () => {
    using bench = new JournalBench();
    leave(bench.start(1), 1, 2, 3, 4, 5);
    const delivered: number[] = [];
    for (const pid of [1, 2, 3, 4, 5]) {
      bench.kill(pid);
      const next = bench.start(pid + 1);
      await bench.clock.advance(FIRST_LOOK_MS);
      const found = next.traces.next();
      if (!found) continue;
      delivered.push(JSON.parse(Buffer.from(found.body).toString()).resourceSpans[0].number);
      next.traces.settle(found.place, found.items);
      await bench.clock.advance(200);
    }
    expect(delivered).toEqual([1, 2, 3, 4, 5]);
  });

  test('waits for a process that sends, where this one does not', async () => {
    using bench = new JournalBench();
    leave(bench.start(1), 1);
    bench.kill(1);
    bench.start(2, { delivers: false });
    await bench.clock.advance(FIRST_LOOK_MS);
    expect(bench.list('traces')[0]).toContain('-1-');
    const three = bench.start(3);
    await bench.clock.advance(FIRST_LOOK_MS);
    expect(three.drain()).toEqual([1]);
  });

  test('is handed over by a process that ends in order', async () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    leave(one, 1, 2);
    const first = one.traces.next();
    if (first) one.traces.settle(first.place, first.items);
    one.journal.close();
    one.journal.close();
    expect(bench.list('owners')).toEqual([expect.stringMatching(/cursor\.json$/)]);
    const two = bench.start(2);
    await bench.clock.advance(FIRST_LOOK_MS);
    expect(two.drain()).toEqual([2]);
  });
});

describe('a cursor that cannot be believed', () => {
  const broken: readonly [string, (text: string) => string][] = [
    ['is no JSON', () => '{"version":1,"owner"'],
    ['is of a newer version', (text) => text.replace('"version":1', '"version":2')],
    ['speaks of bytes beyond the end of the file', (text) => text.replace(/\[\[0,\d+\]\]/, '[[0,999999]]')],
  ];
  test.each(broken)(
    'because it %s is renamed, said once, and what it covered is sent again',
    async (_, damage) => {
      using bench = new JournalBench();
      const one = bench.start(1);
      leave(one, 1, 2);
      one.drain();
      await bench.clock.advance(200);
      const [name = ''] = bench.list('owners').filter((each) => each.includes('cursor'));
      writeFileSync(bench.path('owners', name), damage(bench.text('owners', name)));
      bench.kill(1);
      const two = bench.start(2);
      await bench.clock.advance(FIRST_LOOK_MS);
      expect(two.drain()).toEqual([1, 2]);
      expect(bench.list('owners')).toContain(`${name}.unreadable`);
      expect(two.warnings).toEqual([expect.stringContaining(`${name}.unreadable`)]);
    },
  );
});

describe('files that are not the journal’s', () => {
  test('are left alone and said', async () => {
    using bench = new JournalBench();
    leave(bench.start(1), 1);
    writeFileSync(bench.path('traces', 'notes.txt'), 'mine');
    await bench.clock.advance(FIRST_LOOK_MS);
    const two = bench.start(2);
    await bench.clock.advance(FIRST_LOOK_MS + LOOK_MS);
    expect(bench.text('traces', 'notes.txt')).toBe('mine');
    expect(two.warnings[0]).toContain('notes.txt');
  });
});

describe('the heartbeat', () => {
  test('touches the lock, and makes it again where somebody removed the home', async () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    leave(one, 1);
    const [lock = ''] = bench.list('owners');
    utimesSync(bench.path('owners', lock), 0, 0);
    await bench.clock.advance(10_000);
    expect(one.files.facts(bench.path('owners', lock))?.changedAt).toBe(bench.clock.epoch());
    rmSync(bench.path(), { recursive: true });
    await bench.clock.advance(10_000);
    expect(bench.list('owners')).toEqual([lock]);
  });
});

describe('segments that are settled', () => {
  test('are kept as compressed archives, one after another', async () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    leave(one, 1, 2);
    one.drain();
    await bench.clock.advance(330_000);
    await eventually(() => bench.list('traces').some((name) => name.endsWith('.gz')), 'the archive');
    await settlePromises();
    const [archive = ''] = bench.list('traces');
    expect(bench.list('traces')).toHaveLength(1);
    expect(parseSegmentName(archive)?.kind).toBe('archive');
    expect(gunzipSync(readFileSync(bench.path('traces', archive))).toString()).toBe(
      `${line(1, 2).toString()}\n${line(2, 2).toString()}\n`,
    );
    expect(one.traces.segments).toEqual([]);
  });

  test('are not sent again where a process died between the archive and the removal of its source', async () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    leave(one, 1);
    one.drain();
    await bench.clock.advance(200);
    const [name = ''] = bench.list('traces');
    writeFileSync(bench.path('traces', `${name}.gz`), 'archive');
    writeFileSync(bench.path('traces', `${name}.gz.tmp`), 'half of one');
    bench.kill(1);
    const two = bench.start(2);
    await bench.clock.advance(FIRST_LOOK_MS);
    expect(two.drain()).toEqual([]);
    expect(bench.list('traces')).toEqual([`${name}.gz`]);
  });

  test('are kept as they are while their signal waits in the same file', async () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    leave(one, 1, 2);
    const first = one.traces.next();
    if (first) one.traces.settle(first.place, first.items);
    await bench.clock.advance(330_000);
    expect(bench.list('traces')).toEqual([expect.stringMatching(/\.jsonl$/)]);
  });
});

describe('the caps', () => {
  const SIZE = line(1, 2).byteLength + 1;
  const limits = { maxTotalBytes: 10 * SIZE, maxAgeMs: 3_600_000, segmentBytes: SIZE };

  /** One line in a segment of its own, five minutes after the one before. */
  async function leaveOverTime(bench: JournalBench, process: Process, ...numbers: number[]): Promise<void> {
    for (const number of numbers) {
      leave(process, number);
      await bench.clock.advance(300_000);
    }
  }

  test('remove the oldest of what waits, and count it', async () => {
    using bench = new JournalBench();
    const one = bench.start(1, { limits: { ...limits, maxAgeMs: Number.POSITIVE_INFINITY } });
    await leaveOverTime(bench, one, ...Array.from({ length: 14 }, (_, i) => i));
    const { evicted } = one.counts.snapshot().traces.dropped;
    const left = one.drain();
    expect(left.length).toBeLessThanOrEqual(10);
    expect(left.at(-1)).toBe(13);
    expect(left).toEqual(Array.from({ length: left.length }, (_, i) => 14 - left.length + i));
    expect(evicted).toBe((14 - left.length) * 2);
    expect(one.warnings).toContainEqual(expect.stringContaining('The journal is full'));
  });

  test('remove what is older than their age, and count it', async () => {
    using bench = new JournalBench();
    const one = bench.start(1, { limits: { ...limits, maxTotalBytes: 1_000_000 } });
    await leaveOverTime(bench, one, 1, 2);
    await bench.clock.advance(3_600_000);
    expect(one.counts.snapshot().traces.dropped.expired).toBe(4);
    expect(bench.list('traces')).toEqual([]);
  });

  test('remove archives and rejected batches first, the oldest before the others', async () => {
    using bench = new JournalBench();
    const one = bench.start(1, { limits: { ...limits, maxAgeMs: Number.POSITIVE_INFINITY } });
    leave(one, 1);
    const stem = (minute: number): string => `2026-11-22T00${String(minute).padStart(2, '0')}00000Z-5-abcd-0`;
    for (let minute = 0; minute < 12; minute += 1) {
      const name = minute % 2 === 0 ? `traces/${stem(minute)}.jsonl.gz` : `logs/${stem(minute)}.jsonl.gz`;
      one.files.makeFolder(bench.path(name.split('/')[0] ?? ''), 0o700);
      writeFileSync(bench.path(name), 'x'.repeat(SIZE));
    }
    one.journal.close();
    const left = [...bench.list('traces'), ...bench.list('logs')]
      .filter((name) => name.endsWith('.gz'))
      .sort();
    expect(left).toEqual([7, 8, 9, 10, 11].map((minute) => `${stem(minute)}.jsonl.gz`));
    expect(one.counts.snapshot().traces.dropped.evicted).toBe(0);
  });

  test('keep no more files of rejected batches than their number, the newest, and leave all others', async () => {
    using bench = new JournalBench();
    const roomy = {
      ...limits,
      maxTotalBytes: 1_000_000,
      maxAgeMs: Number.POSITIVE_INFINITY,
      maxRejectedFiles: 6,
    };
    const one = bench.start(1, { limits: roomy });
    for (let i = 0; i < 5; i += 1) {
      one.traces.setAside({ line: line(i, 1), reason: 'too_large', items: 1, target: 'http://here' });
      await bench.clock.advance(60_000);
    }
    leave(one, 1);
    expect(one.drain()).toEqual([1]);
    one.journal.close();
    const left = bench.list('rejected', 'traces').toSorted();
    expect(left).toHaveLength(6);
    expect(left.filter((name) => name.endsWith('.json'))).toHaveLength(3);
  });
});

describe('a process that was taken for dead', () => {
  test('goes on in a new segment, and nothing is lost or doubled', async () => {
    using bench = new JournalBench();
    const one = bench.start(1);
    leave(one, 1);
    const [name = ''] = bench.list('traces');
    renameSync(bench.path('traces', name), bench.path('traces', name.replace(/-1-[0-9a-f]+-/, '-2-abcd-')));
    leave(one, 2);
    expect(one.drain()).toEqual([2]);
    await bench.clock.advance(FIRST_LOOK_MS);
    expect(one.drain()).toEqual([1]);
  });
});
