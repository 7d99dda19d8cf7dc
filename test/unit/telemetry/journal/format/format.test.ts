import { describe, expect, it } from 'vitest';

import { formatCursor, parseCursor } from '../../../../../src/telemetry/journal/format/cursor.ts';
import { countItems } from '../../../../../src/telemetry/otlp/item-count.ts';
import {
  cursorName,
  isRejectedFile,
  parseOwnerFile,
  rejectedStem,
} from '../../../../../src/telemetry/journal/format/layout.ts';
import { lockName } from '../../../../../src/host/owners/owner-lock.ts';
import { LineSplitter } from '../../../../../src/telemetry/journal/lines/line-splitter.ts';
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
