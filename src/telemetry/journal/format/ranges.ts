/** Bytes of a file from an offset up to, not including, another. */
export type Range = readonly [from: number, to: number];

/** Ranges in ascending order, with at least one byte between any two. */
export type Ranges = readonly Range[];

/** Adds a range, and merges it with the ranges that it touches. An empty range adds nothing. */
export function addRange(ranges: Ranges, [from, to]: Range): Ranges {
  if (to <= from) return ranges;
  const last = ranges.at(-1);
  // Nearly always the next line of a file.
  if (last && last[1] === from) return [...ranges.slice(0, -1), [last[0], to]];
  const before = ranges.filter((range) => range[1] < from);
  const after = ranges.filter((range) => range[0] > to);
  const touched = ranges.slice(before.length, ranges.length - after.length);
  const merged: Range = [Math.min(from, touched[0]?.[0] ?? from), Math.max(to, touched.at(-1)?.[1] ?? to)];
  return [...before, merged, ...after];
}

/** Takes the bytes of one range away. */
export function removeRange(ranges: Ranges, [from, to]: Range): Ranges {
  if (to <= from) return ranges;
  return ranges.flatMap((range): Ranges => {
    const left: Range = [range[0], Math.min(range[1], from)];
    const right: Range = [Math.max(range[0], to), range[1]];
    return [left, right].filter((part) => part[1] > part[0]);
  });
}

/** The bytes of a file of `size` bytes that no range covers. */
export function gapsOf(ranges: Ranges, size: number): Ranges {
  const gaps: Range[] = [];
  let from = 0;
  for (const range of ranges) {
    if (range[0] >= size) break;
    if (range[0] > from) gaps.push([from, range[0]]);
    from = Math.max(from, range[1]);
  }
  if (from < size) gaps.push([from, size]);
  return gaps;
}

/** The number of bytes in the ranges. */
export function sizeOf(ranges: Ranges): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}

/** Parses ranges from JSON. @returns `undefined` if they are not ascending pairs of whole numbers */
export function parseRanges(value: unknown): Ranges | undefined {
  if (!Array.isArray(value)) return undefined;
  let ranges: Ranges = [];
  let end = -1;
  for (const pair of value as readonly unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    const [from, to] = pair as readonly unknown[];
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) return undefined;
    const range: Range = [Number(from), Number(to)];
    if (range[0] < Math.max(0, end) || range[1] < range[0]) return undefined;
    ranges = addRange(ranges, range);
    end = range[1];
  }
  return ranges;
}
