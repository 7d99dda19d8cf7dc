import { describe, expect, it } from 'vitest';

import { formatCursor, parseCursor } from '../../../../../src/telemetry/journal/format/cursor.ts';
import { countItems } from '../../../../../src/telemetry/journal/lines/item-count.ts';
import {
  cursorName,
  isRejectedFile,
  lockName,
  parseOwnerFile,
  rejectedStem,
} from '../../../../../src/telemetry/journal/format/layout.ts';
import { LineSplitter } from '../../../../../src/telemetry/journal/lines/line-splitter.ts';
import { isOwnerAlive, parseOwnerLock } from '../../../../../src/telemetry/journal/owner-lock.ts';
import type { OwnerLock } from '../../../../../src/telemetry/journal/owner-lock.ts';
import { parseStat, systemProcesses } from '../../../../../src/telemetry/journal/process-identity.ts';
import type { ProcessPort } from '../../../../../src/telemetry/journal/process-identity.ts';
import { parseRejectedRecord } from '../../../../../src/telemetry/journal/format/rejected-record.ts';
import {
  formatSegmentName,
  parseSegmentName,
} from '../../../../../src/telemetry/journal/format/segment-name.ts';

const OPENED = Date.UTC(2026, 10, 22, 1, 45, 0, 123);

describe('the name of a segment', () => {
  it('says when it was opened, whose it is, and what it holds', () => {
    const name = { openedAt: OPENED, owner: '4711-9f3c', number: 0, kind: 'segment' } as const;
    expect(formatSegmentName(name)).toBe('2026-11-22T014500123Z-4711-9f3c-0.jsonl');
    expect(parseSegmentName('2026-11-22T014500123Z-4711-9f3c-0.jsonl')).toEqual(name);
    expect(parseSegmentName('2026-11-22T014500123Z-4711-9f3c-12.jsonl.gz')).toEqual({
      ...name,
      number: 12,
      kind: 'archive',
    });
    expect(parseSegmentName('2026-11-22T014500123Z-4711-9f3c-0.jsonl.gz.tmp')?.kind).toBe('archiving');
  });

  it.each([
    'alerts.jsonl',
    '2026-11-22.jsonl',
    '2026-11-22T014500123Z-4711-0.jsonl',
    '2026-13-22T014500123Z-4711-9f3c-0.jsonl',
    '2026-11-22T014500123Z-4711-9F3C-0.jsonl',
    '2026-11-22T014500123Z-4711-9f3c-0.jsonl.bak',
    '../2026-11-22T014500123Z-4711-9f3c-0.jsonl',
    '',
  ])('is not %j, which is somebody else’s', (name) => {
    expect(parseSegmentName(name)).toBeUndefined();
  });
});

describe('the other names of the journal', () => {
  it('tell locks, cursors and rejected batches from everything else', () => {
    expect(parseOwnerFile(lockName('4711-9f3c'))).toEqual({ owner: '4711-9f3c', kind: 'lock' });
    expect(parseOwnerFile(cursorName('4711-9f3c'))).toEqual({ owner: '4711-9f3c', kind: 'cursor' });
    expect(parseOwnerFile('4711-9f3c.cursor.json.unreadable')).toBeUndefined();
    expect(isRejectedFile(`${rejectedStem(OPENED, '4711-9f3c', 3)}.jsonl`)).toBe(true);
    expect(isRejectedFile(`${rejectedStem(OPENED, '4711-9f3c', 3)}.json`)).toBe(true);
    expect(isRejectedFile('notes.json')).toBe(false);
  });
});

describe('a cursor', () => {
  it('comes back from its text', () => {
    const cursor = { owner: '1-abcd', savedAt: OPENED, segments: new Map([['traces/a', [[0, 7]] as const]]) };
    expect(parseCursor(formatCursor(cursor))).toEqual({ cursor });
  });

  it.each([
    ['', 'it is not JSON'],
    ['[]', 'it is not an object'],
    ['{"version":2}', 'expected version 1, got 2'],
    ['{"version":1}', 'expected `owner`, `savedAt` and `segments`'],
    ['{"version":1,"owner":"o","savedAt":1,"segments":{"a":[[5,2]]}}', 'a segment has ranges'],
    ['{"version":1,"owner":"o","savedAt":1,"segments":{"a":[[0,4],[2,6]]}}', 'a segment has ranges'],
    ['{"version":1,"owner":"o","savedAt":1,"segments":{"a":[[-1,6]]}}', 'a segment has ranges'],
  ])('that reads %j is refused with the reason', (text, problem) => {
    expect(parseCursor(text)).toEqual({ problem: expect.stringContaining(problem) });
  });
});

describe('lines', () => {
  const split = (...chunks: string[]): string[] => {
    const splitter = new LineSplitter();
    const lines = chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk)));
    return lines.map(({ bytes, from, to }) => `${from}-${to} ${Buffer.from(bytes).toString()}`);
  };

  it('end at a line feed and nowhere else, wherever the chunks are cut', () => {
    expect(split('a\u2028b\n', 'c', 'd\r\n\ne')).toEqual(['0-6 a\u2028b', '6-10 cd\r', '10-11 ']);
  });

  it('leave a tail that was not written to its end', () => {
    const splitter = new LineSplitter(100);
    expect(splitter.push(Buffer.from('ab\ncd'))).toHaveLength(1);
    expect(splitter.push(Buffer.from('e'))).toEqual([]);
    expect(splitter.tail).toEqual({ bytes: Buffer.from('cde'), from: 103, to: 106 });
    splitter.push(Buffer.from('\n'));
    expect(splitter.tail).toBeUndefined();
  });
});

describe('the count of items', () => {
  it('sees the field of each item, and no text that looks like it', () => {
    const line = {
      spans: [{ name: '"startTimeUnixNano":', startTimeUnixNano: '1' }, { startTimeUnixNano: '2' }],
    };
    expect(countItems('traces', Buffer.from(JSON.stringify(line)))).toBe(2);
    expect(countItems('logs', Buffer.from('{"observedTimeUnixNano":"1"}{"observedTimeUnixNano":"1"}'))).toBe(
      2,
    );
    expect(countItems('metrics', Buffer.from(''))).toBe(0);
  });
});

describe('the record of a batch that was set aside', () => {
  it('is read where it is of this version', () => {
    const record = { version: 1, reason: 'rejected', status: 400, target: 't', time: 'now', items: 3 };
    expect(parseRejectedRecord(JSON.stringify(record))).toEqual(record);
    expect(parseRejectedRecord(JSON.stringify({ ...record, version: 2 }))).toBeUndefined();
    expect(parseRejectedRecord(JSON.stringify({ ...record, reason: 'other' }))).toBeUndefined();
    expect(parseRejectedRecord('null')).toBeUndefined();
    expect(parseRejectedRecord('{')).toBeUndefined();
  });
});

describe('the owner of a lock', () => {
  const lock: OwnerLock = {
    version: 1,
    pid: 7,
    startTicks: '99',
    bootId: 'boot',
    pidNamespace: 'pid:[1]',
    host: 'here',
    startedAt: '2026-11-22T00:00:00.000Z',
  };
  const machine = (stat: ReturnType<ProcessPort['stat']>, more: Partial<OwnerLock> = {}): ProcessPort => ({
    self: () => ({ ...lock, pid: 8, ...more }),
    stat: () => stat,
  });
  const alive = (stat: ReturnType<ProcessPort['stat']>): boolean =>
    isOwnerAlive({ lock, touchedAt: 0 }, machine(stat), 1_000_000);

  it('lives while its process runs, whatever its heartbeat says', () => {
    expect(alive({ state: 'S', startTicks: '99' })).toBe(true);
  });

  it('is dead without a process, as a zombie, and where another process has its number now', () => {
    expect(alive(undefined)).toBe(false);
    expect(alive({ state: 'Z', startTicks: '99' })).toBe(false);
    expect(alive({ state: 'S', startTicks: '100' })).toBe(false);
  });

  it.each([
    ['another container', machine(undefined, { pidNamespace: 'pid:[2]' }), lock],
    ['another boot or host', machine(undefined, { bootId: 'other' }), lock],
    ['a platform without /proc', machine(undefined), { ...lock, startTicks: undefined }],
    ['a lock that cannot be read', machine(undefined), undefined],
  ])('in %s lives by its heartbeat, for 90 s', (_, processes, held) => {
    expect(isOwnerAlive({ lock: held, touchedAt: 1_000 }, processes, 90_999)).toBe(true);
    expect(isOwnerAlive({ lock: held, touchedAt: 1_000 }, processes, 91_000)).toBe(false);
  });

  it('comes back from its text, and a lock of another version does not', () => {
    expect(parseOwnerLock(JSON.stringify(lock))).toEqual(lock);
    expect(parseOwnerLock(JSON.stringify({ ...lock, version: 2 }))).toBeUndefined();
    expect(parseOwnerLock('')).toBeUndefined();
    expect(parseOwnerLock('null')).toBeUndefined();
  });
});

describe('a process', () => {
  it('is read from /proc, with any name', () => {
    const rest = 'S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1202435 0 0';
    expect(parseStat(`4711 (a) b ) c) ${rest}`)).toEqual({ state: 'S', startTicks: '1202435' });
    expect(parseStat('4711 (cut')).toBeUndefined();
  });

  it('knows itself', () => {
    const self = systemProcesses.self();
    expect(self.pid).toBe(process.pid);
    expect(systemProcesses.stat(process.pid)?.startTicks).toBe(self.startTicks);
  });
});
