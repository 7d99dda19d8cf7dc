import { describe, expect, test } from 'vitest';
import { lockName } from '../../../../../src/host/owners/owner-lock.ts';
import { formatCursor, parseCursor } from '../../../../../src/telemetry/journal/format/cursor.ts';
import {
  cursorName,
  isRejectedFile,
  parseOwnerFile,
  rejectedStem,
} from '../../../../../src/telemetry/journal/format/layout.ts';
import { parseRejectedRecord } from '../../../../../src/telemetry/journal/format/rejected-record.ts';
import {
  formatSegmentName,
  parseSegmentName,
} from '../../../../../src/telemetry/journal/format/segment-name.ts';

const OPENED = Date.UTC(2026, 10, 22, 1, 45, 0, 123);

describe('the name of a segment', () => {
  test('says when it was opened, whose it is, and what it holds', () => {
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

  test.each([
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
  test('tell locks, cursors and rejected batches from everything else', () => {
    expect(parseOwnerFile(lockName('4711-9f3c'))).toEqual({ owner: '4711-9f3c', kind: 'lock' });
    expect(parseOwnerFile(cursorName('4711-9f3c'))).toEqual({ owner: '4711-9f3c', kind: 'cursor' });
    expect(parseOwnerFile('4711-9f3c.cursor.json.unreadable')).toBeUndefined();
    expect(isRejectedFile(`${rejectedStem(OPENED, '4711-9f3c', 3)}.jsonl`)).toBe(true);
    expect(isRejectedFile(`${rejectedStem(OPENED, '4711-9f3c', 3)}.json`)).toBe(true);
    expect(isRejectedFile('notes.json')).toBe(false);
  });
});

describe('a cursor', () => {
  test('comes back from its text', () => {
    const cursor = { owner: '1-abcd', savedAt: OPENED, segments: new Map([['traces/a', [[0, 7]] as const]]) };
    expect(parseCursor(formatCursor(cursor))).toEqual({ cursor });
  });

  test.each([
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

describe('the record of a batch that was set aside', () => {
  test('is read where it is of this version', () => {
    const record = { version: 1, reason: 'rejected', status: 400, target: 't', time: 'now', items: 3 };
    expect(parseRejectedRecord(JSON.stringify(record))).toEqual(record);
    expect(parseRejectedRecord(JSON.stringify({ ...record, version: 2 }))).toBeUndefined();
    expect(parseRejectedRecord(JSON.stringify({ ...record, reason: 'other' }))).toBeUndefined();
    expect(parseRejectedRecord('null')).toBeUndefined();
    expect(parseRejectedRecord('{')).toBeUndefined();
  });
});
