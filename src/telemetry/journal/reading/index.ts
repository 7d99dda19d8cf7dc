export { settledIn } from '../format/cursor.ts';
export {
  cursorName,
  journalFolders,
  OWNERS_FOLDER,
  REJECTED_FOLDER,
  TELEMETRY_FOLDER,
} from '../format/layout.ts';
export { gapsOf, sizeOf } from '../format/ranges.ts';
export type { Ranges } from '../format/ranges.ts';
export { parseSegmentName } from '../format/segment-name.ts';
export type { SegmentName } from '../format/segment-name.ts';
export { readLines } from '../lines/read-lines.ts';
export type { ReadLine } from '../lines/read-lines.ts';
export { OwnerFiles } from '../owner-files.ts';
