import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { KeelsonError } from '../../core/errors.ts';
import { systemCode } from '../../storage/index.ts';
import { parseCursor } from '../../telemetry/journal/format/cursor.ts';
import { cursorName, OWNERS_FOLDER, REJECTED_FOLDER } from '../../telemetry/journal/format/layout.ts';
import { gapsOf, sizeOf } from '../../telemetry/journal/format/ranges.ts';
import type { Ranges } from '../../telemetry/journal/format/ranges.ts';
import type { Source } from './sources.ts';

/** What of a segment was delivered, as its owner's cursor says. */
export interface Delivered {
  readonly ranges: Ranges;
  /** The cursor's path, where it cannot be believed; then nothing counts as delivered. */
  readonly unreadable?: string;
}

/** What of files was delivered, and is not to be sent. */
export interface LeftOutAsDelivered {
  /** Files of which all was delivered, compressed. */
  archives: number;
  /** Bytes of segments. */
  bytes: number;
}

/** Asks the cursor anew each time: a living owner goes on delivering. Nothing was delivered where there is no cursor. */
export function deliveredOf({ path, size, segment, signal }: Source): Delivered {
  if (segment === undefined || signal === undefined) return { ranges: [] };
  if (segment.kind === 'archive') return { ranges: [[0, Infinity]] };
  const cursorPath = join(dirname(path), '..', OWNERS_FOLDER, cursorName(segment.owner));
  let text: string;
  try {
    text = readFileSync(cursorPath, 'utf8');
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? { ranges: [] } : { ranges: [], unreadable: cursorPath };
  }
  const { cursor } = parseCursor(text);
  const ranges = cursor?.segments.get(`${signal}/${basename(path)}`) ?? [];
  const isBelievable = cursor !== undefined && (ranges.at(-1)?.[1] ?? 0) <= size;
  return isBelievable ? { ranges } : { ranges: [], unreadable: cursorPath };
}

/** Whether all of a line was delivered. @param to the offset behind its line break */
export function isDelivered(ranges: Ranges, bytes: Uint8Array, to: number): boolean {
  const from = to - bytes.byteLength - 1;
  return ranges.some((range) => range[0] <= from && to <= range[1]);
}

/**
 * The segments of which something waits.
 * @throws KeelsonError `ERR_KEELSON_FILE` for a file that is in no journal: nothing says what of it was delivered
 */
export function selectUndelivered(sources: readonly Source[]): {
  readonly sources: readonly Source[];
  readonly delivered: LeftOutAsDelivered;
} {
  const delivered: LeftOutAsDelivered = { archives: 0, bytes: 0 };
  const waiting = sources.filter((source) => {
    if (source.segment === undefined || source.signal === undefined || isSetAside(source)) {
      throw new KeelsonError(
        'ERR_KEELSON_FILE',
        `${source.path} is in no journal: no cursor says what of it was delivered.`,
        {
          hint: 'Name a home, its telemetry folder or what lies in there, or leave --undelivered out.',
        },
      );
    }
    const { ranges } = deliveredOf(source);
    if (source.segment.kind === 'archive') delivered.archives += 1;
    else delivered.bytes += sizeOf(ranges);
    return gapsOf(ranges, source.size).length > 0;
  });
  return { sources: waiting, delivered };
}

/** Batches that were set aside lie in folders with names of signals, too. */
function isSetAside({ path }: Source): boolean {
  return basename(dirname(dirname(path))) === REJECTED_FOLDER;
}
