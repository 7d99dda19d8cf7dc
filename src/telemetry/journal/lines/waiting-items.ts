import type { FilePort } from '../../../storage/index.ts';
import { countItems, firstItemTime, itemMarkOverlap } from '../../otlp/index.ts';
import type { Signal } from '../../semconv.ts';
import type { Ranges } from '../format/ranges.ts';

/** What waits in a file. */
export interface WaitingItems {
  readonly items: number;
  /** When the first of them came to be, in milliseconds since 1970; `undefined` if the lines do not hold its time. */
  readonly oldestAt: number | undefined;
}

const SLICE_BYTES = 1_024 * 1_024;

/**
 * Counts the items in parts of a file, one slice of 1 MiB at each step, so that a service can let its event loop turn in between.
 * @throws what the file system throws
 */
export function* readWaiting(
  files: FilePort,
  path: string,
  parts: Ranges,
  signal: Signal,
): Generator<undefined, WaitingItems> {
  // Slices overlap, so that no item at the border of two slices is missed.
  const overlap = itemMarkOverlap(signal);
  let items = 0;
  let oldestAt: number | undefined;
  if (parts.length === 0) return { items, oldestAt };
  const descriptor = files.openRead(path);
  try {
    const longest = Math.max(...parts.map(([from, to]) => to - from));
    const buffer = Buffer.alloc(Math.min(SLICE_BYTES, longest));
    for (const [from, to] of parts) {
      for (let at = from; at < to; at += SLICE_BYTES - overlap) {
        const read = files.read(descriptor, buffer.subarray(0, Math.min(SLICE_BYTES, to - at)), at);
        const slice = buffer.subarray(0, read);
        items += countItems(signal, slice);
        oldestAt ??= firstItemTime(signal, slice);
        if (read < SLICE_BYTES) break;
        yield;
      }
    }
  } finally {
    files.close(descriptor);
  }
  return { items, oldestAt };
}

/**
 * The same at once.
 * @throws what the file system throws
 */
export function readWaitingNow(files: FilePort, path: string, parts: Ranges, signal: Signal): WaitingItems {
  const reading = readWaiting(files, path, parts, signal);
  let step = reading.next();
  while (!step.done) step = reading.next();
  return step.value;
}
