import { basename, dirname, join } from 'node:path';
import { KeelsonError } from '../../core/errors.ts';
import { systemFiles } from '../../storage/index.ts';
import {
  cursorName,
  gapsOf,
  OwnerFiles,
  REJECTED_FOLDER,
  settledIn,
  sizeOf,
} from '../../telemetry/journal/reading/index.ts';
import type { Ranges } from '../../telemetry/journal/reading/index.ts';
import { ownersFolderOf } from './sources.ts';
import type { Source } from './sources.ts';

/** What of a segment was delivered, by the cursor of its owner. */
export interface Delivered {
  readonly ranges: Ranges;
  /** The path of the cursor if it cannot be used; then nothing counts as delivered. */
  readonly unreadable?: string;
}

/** The part of files that was delivered, and that is not sent again. */
export interface LeftOutAsDelivered {
  /** How many archives: files of which everything was delivered. */
  archives: number;
  /** How many bytes of segments. */
  bytes: number;
}

/**
 * Reads what of a file was delivered, at each call anew: a living owner goes on delivering. Nothing was delivered if there is no cursor.
 * Everything was if the file is an archive.
 */
export function deliveredOf({ path, size, segment, signal }: Source): Delivered {
  if (segment === undefined || signal === undefined) return { ranges: [] };
  if (segment.kind === 'archive') return { ranges: [[0, Number.POSITIVE_INFINITY]] };
  const { owner } = segment;
  const folder = ownersFolderOf(path);
  const unreadable = join(folder, cursorName(owner));
  try {
    const reading = new OwnerFiles(systemFiles, folder).cursorOf(owner);
    if (!reading) return { ranges: [] };
    const ranges = reading.cursor && settledIn(reading.cursor, `${signal}/${basename(path)}`, size);
    return ranges ? { ranges } : { ranges: [], unreadable };
  } catch {
    return { ranges: [], unreadable };
  }
}

/** Whether all of a line was delivered. @param to the offset after its line break */
export function isDelivered(ranges: Ranges, bytes: Uint8Array, to: number): boolean {
  const from = to - bytes.byteLength - 1;
  return ranges.some((range) => range[0] <= from && to <= range[1]);
}

/**
 * Selects the segments in which something waits.
 * @throws {KeelsonError} `ERR_KEELSON_FILE` for a file that is in no journal: no cursor covers it
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

/** Whether a file holds batches that were set aside. Their folders have the names of signals, too. */
function isSetAside({ path }: Source): boolean {
  return basename(dirname(dirname(path))) === REJECTED_FOLDER;
}
