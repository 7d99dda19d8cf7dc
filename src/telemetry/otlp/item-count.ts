import type { FilePort } from '../../storage/index.ts';
import type { Signal } from '../semconv.ts';
import type { Ranges } from '../journal/format/ranges.ts';

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

const SLICE_BYTES = 1_024 * 1_024;

/**
 * Counts the items in parts of a file, a slice at a time: whoever has an event loop to spare lets it turn at each step.
 * @throws what the file system throws
 */
export function* countWaiting(
  files: FilePort,
  path: string,
  parts: Ranges,
  signal: Signal,
): Generator<undefined, number> {
  // So that no item at the border of two slices is missed.
  const overlap = itemMarkOverlap(signal);
  let count = 0;
  if (parts.length === 0) return count;
  const descriptor = files.openRead(path);
  try {
    const longest = Math.max(...parts.map(([from, to]) => to - from));
    const buffer = Buffer.alloc(Math.min(SLICE_BYTES, longest));
    for (const [from, to] of parts) {
      for (let at = from; at < to; at += SLICE_BYTES - overlap) {
        const read = files.read(descriptor, buffer.subarray(0, Math.min(SLICE_BYTES, to - at)), at);
        count += countItems(signal, buffer.subarray(0, read));
        if (read < SLICE_BYTES) break;
        yield;
      }
    }
  } finally {
    files.close(descriptor);
  }
  return count;
}

/** How many bytes two chunks of a file must overlap, so that no item at the border is missed. */
export function itemMarkOverlap(signal: Signal): number {
  return MARKS[signal].byteLength - 1;
}
