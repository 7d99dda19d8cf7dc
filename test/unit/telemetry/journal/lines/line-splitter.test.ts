import { describe, expect, test } from 'vitest';
import { LineSplitter } from '../../../../../src/telemetry/journal/lines/line-splitter.ts';

describe('lines', () => {
  const split = (...chunks: string[]): string[] => {
    const splitter = new LineSplitter();
    const lines = chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk)));
    return lines.map(({ bytes, from, to }) => `${from}-${to} ${Buffer.from(bytes).toString()}`);
  };

  test('end at a line feed and nowhere else, wherever the chunks are cut', () => {
    expect(split('a\u2028b\n', 'c', 'd\r\n\ne')).toEqual(['0-6 a\u2028b', '6-10 cd\r', '10-11 ']);
  });

  test('leave a tail that was not written to its end', () => {
    const splitter = new LineSplitter(100);
    expect(splitter.push(Buffer.from('ab\ncd'))).toHaveLength(1);
    expect(splitter.push(Buffer.from('e'))).toEqual([]);
    expect(splitter.tail).toEqual({ bytes: Buffer.from('cde'), from: 103, to: 106 });
    splitter.push(Buffer.from('\n'));
    expect(splitter.tail).toBeUndefined();
  });
});
