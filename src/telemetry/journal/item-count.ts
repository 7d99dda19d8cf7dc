import type { Signal } from '../signal.ts';

/**
 * A field that each item of a line has exactly once. A quote inside a JSON text is escaped, so that these bytes are never part of a value;
 * a key of an attribute is a value in OTLP's JSON.
 */
const MARKS: Readonly<Record<Signal, Buffer>> = {
  traces: Buffer.from('"startTimeUnixNano":'),
  metrics: Buffer.from('"startTimeUnixNano":'),
  logs: Buffer.from('"observedTimeUnixNano":'),
};

/** Counts the items (spans, metric points, log records) of lines as Keelson writes them, without parsing. */
export function countItems(signal: Signal, lines: Uint8Array): number {
  const mark = MARKS[signal];
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
  let count = 0;
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + mark.byteLength)) count += 1;
  return count;
}

/** How many bytes two chunks of a file must overlap, so that no item at the border is missed. */
export function itemMarkOverlap(signal: Signal): number {
  return MARKS[signal].byteLength - 1;
}
