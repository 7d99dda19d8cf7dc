import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isOwnerAlive } from '../../../../../src/host/owners/index.ts';
import type { ProcessPort } from '../../../../../src/host/owners/index.ts';
import { formatCursor, parseCursor, settledIn } from '../../../../../src/telemetry/journal/format/cursor.ts';
import { takeInventory } from '../../../../../src/telemetry/journal/inventory/inventory.ts';
import type { JournalInventory } from '../../../../../src/telemetry/journal/inventory/inventory.ts';
import { OwnerFiles } from '../../../../../src/telemetry/journal/owner-files.ts';
import { FaultyFiles } from '../../../storage/faulty-files.ts';
import { JournalBench, line } from '../journal-bench.ts';
import type { Process } from '../journal-bench.ts';

/** Nobody lives. */
const NOBODY: ProcessPort = {
  self: () => ({ pid: 99, startTicks: '990', bootId: 'boot', pidNamespace: 'pid:[1]', host: 'here' }),
  stat: () => undefined,
};

function inventoryOf(bench: JournalBench, files: FaultyFiles = new FaultyFiles()): JournalInventory {
  return takeInventory({ home: bench.folder, files, processes: NOBODY, now: bench.clock.epoch() });
}

/** A process that delivered the first of three batches of 2 items, and was killed. */
function killed(bench: JournalBench): Process {
  const one = bench.start(1);
  for (const number of [1, 2, 3]) {
    const { place } = one.traces.append(line(number, 2), 2);
    if (place) one.traces.release(place);
  }
  const first = one.traces.next();
  if (first) one.traces.settle(first.place, first.items);
  one.journal.flush();
  bench.kill(1);
  return one;
}

/** Rewrites the only cursor, so that it covers one byte more than each segment has. */
function coverTooMuch(bench: JournalBench): string {
  const [name = ''] = bench.list('owners').filter((each) => each.endsWith('.cursor.json'));
  const path = bench.path('owners', name);
  const { cursor } = parseCursor(readFileSync(path, 'utf8'));
  const segments = new Map(
    [...(cursor?.segments.keys() ?? [])].map((key) => [
      key,
      [[0, readFileSync(bench.path(key)).byteLength + 1]] as const,
    ]),
  );
  writeFileSync(path, formatCursor({ owner: cursor?.owner ?? '', savedAt: 0, segments }));
  return `owners/${name}`;
}

const traces = ({
  signals,
}: JournalInventory): JournalInventory['signals'][number]['undelivered'] | undefined =>
  signals.find(({ signal }) => signal === 'traces')?.undelivered;

describe('the inventory of a journal', () => {
  test('counts as waiting what the next process takes over', async () => {
    using bench = new JournalBench();
    killed(bench);
    const before = traces(inventoryOf(bench));
    expect(before).toMatchObject({ files: 1, items: 4 });
    const two = bench.start(2);
    await two.journal.firstLook();
    expect(two.traces.waiting).toMatchObject({ items: before?.items, bytes: before?.bytes });
  });

  test('believes no cursor that covers bytes beyond the end, as the next process does not, and names it', async () => {
    using bench = new JournalBench();
    killed(bench);
    const cursor = coverTooMuch(bench);
    const inventory = inventoryOf(bench);
    expect(inventory.unreadable).toEqual([cursor]);
    expect(traces(inventory)).toMatchObject({ items: 6 });
    const two = bench.start(2);
    await two.journal.firstLook();
    expect(two.drain()).toEqual([1, 2, 3]);
    expect(bench.list('owners')).toContain(`${cursor.slice('owners/'.length)}.unreadable`);
  });

  test('throws what the disk throws, so that nobody takes it for an empty journal', () => {
    using bench = new JournalBench();
    killed(bench);
    const files = new FaultyFiles();
    files.forbidden.add(bench.path('traces'));
    expect(() => inventoryOf(bench, files)).toThrow('EACCES');
  });
});

describe('the files of owners', () => {
  test('have an unreadable lock live by its age, and no lock where a folder has its name', () => {
    using bench = new JournalBench();
    const { traces: journal } = bench.start(1);
    journal.append(line(1), 1);
    const [name = ''] = bench.list('owners');
    const owner = name.replace('.lock', '');
    writeFileSync(bench.path('owners', name), 'no lock');
    const lock = new OwnerFiles(new FaultyFiles(), bench.path('owners')).lockOf(owner);
    expect(lock?.lock).toBeUndefined();
    expect(lock && isOwnerAlive(lock, NOBODY, lock.touchedAt + 1_000)).toBe(true);
    mkdirSync(bench.path('owners', '7-aaaa.lock'));
    expect(new OwnerFiles(new FaultyFiles(), bench.path('owners')).lockOf('7-aaaa')).toBeUndefined();
    expect(new OwnerFiles(new FaultyFiles(), bench.path('owners')).cursorOf(owner)).toBeUndefined();
  });
});

describe('what a cursor covers of a segment', () => {
  const cursor = { owner: '1-aaaa', savedAt: 0, segments: new Map([['traces/a', [[0, 10]] as const]]) };

  test('is nothing for a segment that it does not name', () => {
    expect(settledIn(cursor, 'traces/b', 10)).toEqual([]);
  });

  test('is believed up to the end of the segment, and not beyond', () => {
    expect(settledIn(cursor, 'traces/a', 10)).toEqual([[0, 10]]);
    expect(settledIn(cursor, 'traces/a', 9)).toBeUndefined();
  });
});
