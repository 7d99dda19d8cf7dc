import type { Signal } from '../semconv.ts';
import { TIME_FIELDS } from './shape.ts';

/**
 * The bytes of the field that each item has exactly once. A quote inside a JSON text is escaped, so that these bytes are never part of a value.
 * An attribute's key cannot be taken for the field either: OTLP JSON writes it as a value.
 */
const MARKS: Readonly<Record<Signal, Buffer>> = {
  traces: Buffer.from(`"${TIME_FIELDS.traces.counted}":`),
  metrics: Buffer.from(`"${TIME_FIELDS.metrics.counted}":`),
  logs: Buffer.from(`"${TIME_FIELDS.logs.counted}":`),
};

/** Counts the items (spans, metric points, log records) of lines that Keelson wrote, without parsing them. */
export function countItems(signal: Signal, lines: Uint8Array): number {
  const mark = MARKS[signal];
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
  let count = 0;
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + mark.byteLength)) count += 1;
  return count;
}

/** The number of bytes by which two chunks of a file must overlap, so that {@link countItems} misses no item at the border. */
export function itemMarkOverlap(signal: Signal): number {
  return MARKS[signal].byteLength - 1;
}
