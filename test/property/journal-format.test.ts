import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCursor, parseCursor } from '../../src/telemetry/journal/format/cursor.ts';
import {
  addRange,
  gapsOf,
  parseRanges,
  removeRange,
  sizeOf,
} from '../../src/telemetry/journal/format/ranges.ts';
import type { Range, Ranges } from '../../src/telemetry/journal/format/ranges.ts';
import { formatSegmentName, parseSegmentName } from '../../src/telemetry/journal/format/segment-name.ts';
import { LineSplitter } from '../../src/telemetry/journal/lines/line-splitter.ts';

const SIZE = 40;
const range: fc.Arbitrary<Range> = fc
  .tuple(fc.integer({ min: 0, max: SIZE }), fc.integer({ min: 0, max: SIZE }))
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
const edits = fc.array(fc.record({ range, add: fc.boolean() }), { maxLength: 30 });

const bytesOf = (ranges: Ranges): number[] =>
  ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));

function play(list: readonly { readonly range: Range; readonly add: boolean }[]): {
  readonly ranges: Ranges;
  readonly model: Set<number>;
} {
  let ranges: Ranges = [];
  const model = new Set<number>();
  for (const edit of list) {
    ranges = edit.add ? addRange(ranges, edit.range) : removeRange(ranges, edit.range);
    for (const byte of bytesOf([edit.range])) {
      if (edit.add) model.add(byte);
      else model.delete(byte);
    }
  }
  return { ranges, model };
}

describe('ranges', () => {
  test('hold exactly the bytes that were added and not removed', () => {
    fc.assert(
      fc.property(edits, (list) => {
        const { ranges, model } = play(list);
        expect(bytesOf(ranges)).toEqual([...model].sort((a, b) => a - b));
        expect(sizeOf(ranges)).toBe(model.size);
      }),
    );
  });

  test('are ascending and merged, and their gaps are the rest of the file', () => {
    fc.assert(
      fc.property(edits, fc.integer({ min: 0, max: SIZE }), (list, size) => {
        const { ranges, model } = play(list);
        for (const [i, [from]] of ranges.entries()) expect(from).toBeGreaterThan(ranges[i - 1]?.[1] ?? -1);
        const rest = Array.from({ length: size }, (_, i) => i).filter((byte) => !model.has(byte));
        expect(bytesOf(gapsOf(ranges, size))).toEqual(rest);
      }),
    );
  });

  test('come back from JSON, and nothing else does', () => {
    fc.assert(
      fc.property(edits, (list) => {
        const { ranges } = play(list);
        expect(parseRanges(JSON.parse(JSON.stringify(ranges)))).toEqual(ranges);
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(sizeOf(parseRanges(value) ?? [])).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('a cursor', () => {
  test('comes back from its text, whatever its segments are called', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), edits), fc.nat(), (segments, savedAt) => {
        const cursor = {
          owner: '1-abcd',
          savedAt,
          segments: new Map(Object.entries(segments).map(([name, list]) => [name, play(list).ranges])),
        };
        expect(parseCursor(formatCursor(cursor))).toEqual({ cursor });
      }),
    );
  });

  test('is never thrown over, whatever its text is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(Object.keys(parseCursor(text))).toHaveLength(1);
      }),
    );
  });
});

describe('the name of a segment', () => {
  test('comes back from its text', () => {
    const name = fc.record({
      openedAt: fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }),
      owner: fc
        .tuple(fc.nat(), fc.integer({ min: 0x1000, max: 0xffffffff }))
        .map(([a, b]) => `${a}-${b.toString(16)}`),
      number: fc.nat(),
      kind: fc.constantFrom('segment', 'archive', 'archiving'),
    });
    fc.assert(
      fc.property(name, (parts) => {
        expect(parseSegmentName(formatSegmentName(parts))).toEqual(parts);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parseSegmentName(text);
        return parsed === undefined || formatSegmentName(parsed) === text;
      }),
    );
  });
});

describe('lines', () => {
  test('are the same, wherever the stream is cut', () => {
    const text = fc.array(fc.constantFrom('a', '\n', '\r', '\u2028', '"'), { maxLength: 40 });
    fc.assert(
      fc.property(text, fc.array(fc.integer({ min: 1, max: 5 })), (parts, sizes) => {
        const bytes = Buffer.from(parts.join(''));
        const splitter = new LineSplitter();
        const found: string[] = [];
        let at = 0;
        for (const size of [...sizes, bytes.byteLength]) {
          for (const line of splitter.push(bytes.subarray(at, at + size))) {
            expect(Buffer.from(line.bytes)).toEqual(bytes.subarray(line.from, line.to - 1));
            found.push(Buffer.from(line.bytes).toString());
          }
          at = Math.min(bytes.byteLength, at + size);
        }
        const expected = bytes.toString().split('\n');
        const tail = expected.pop() ?? '';
        expect(found).toEqual(expected);
        expect(Buffer.from(splitter.tail?.bytes ?? []).toString()).toBe(tail);
      }),
    );
  });
});
