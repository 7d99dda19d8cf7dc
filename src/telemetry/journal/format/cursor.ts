import { parseRanges } from './ranges.ts';
import type { Ranges } from './ranges.ts';

/** Which bytes of one owner's segments were delivered, set aside, or counted as lost. All other bytes wait. */
export interface Cursor {
  readonly owner: string;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
  /** By `<signal>/<file>`. */
  readonly segments: ReadonlyMap<string, Ranges>;
}

/** A cursor, or why it cannot be used. */
export type CursorReading =
  | { readonly cursor: Cursor }
  | { readonly cursor?: undefined; readonly problem: string };

const VERSION = 1;

/** The text of a cursor file. */
export function formatCursor({ owner, savedAt, segments }: Cursor): string {
  const body = { version: VERSION, owner, savedAt, segments: Object.fromEntries(segments) };
  return `${JSON.stringify(body)}\n`;
}

/** Parses the text of a cursor file, and never throws. */
export function parseCursor(text: string): CursorReading {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { problem: 'it is not JSON' };
  }
  if (!isRecord(body)) return { problem: 'it is not an object' };
  const { version, owner, savedAt, segments } = body;
  if (version !== VERSION) {
    const got = typeof version === 'number' ? String(version) : typeof version;
    return { problem: `expected version ${VERSION}, got ${got}` };
  }
  if (typeof owner !== 'string' || typeof savedAt !== 'number' || !isRecord(segments)) {
    return { problem: 'expected `owner`, `savedAt` and `segments`' };
  }
  const read = new Map<string, Ranges>();
  for (const [name, value] of Object.entries(segments)) {
    const ranges = parseRanges(value);
    if (!ranges) return { problem: 'a segment has ranges that are not ascending pairs of offsets' };
    read.set(name, ranges);
  }
  return { cursor: { owner, savedAt, segments: read } };
}

/**
 * What a cursor has of one segment: which bytes were delivered, set aside, or counted as lost.
 * @param key `<signal>/<file>`
 * @param size bytes of the segment, looked up after the cursor was read
 * @returns no ranges for a segment that the cursor does not name; `undefined` if the cursor covers bytes beyond the segment's end, so that none
 *   of it can be believed
 */
export function settledIn(cursor: Cursor, key: string, size: number): Ranges | undefined {
  const settled = cursor.segments.get(key) ?? [];
  return (settled.at(-1)?.[1] ?? 0) <= size ? settled : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
