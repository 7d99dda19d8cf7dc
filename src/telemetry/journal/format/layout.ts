import { join } from 'node:path';
import type { Signal } from '../../semconv.ts';
import { segmentTime } from './segment-name.ts';

/** Folder of the journal, below the home. */
export const TELEMETRY_FOLDER = 'telemetry';
/** Folder of locks and cursors, below the journal's. */
export const OWNERS_FOLDER = 'owners';
/** Folder of batches that were set aside, below the journal's. */
export const REJECTED_FOLDER = 'rejected';

const LOCK = '.lock';
const CURSOR = '.cursor.json';
const OWNER_FILE = /^(\d+-[0-9a-f]{4,32})(\.lock|\.cursor\.json)(\.\d+\.tmp)?$/;
const REJECTED_FILE = /^\d{4}-\d{2}-\d{2}T\d{9}Z-\d+-[0-9a-f]{4,32}-\d+\.json(?:l)?$/;

/** The paths of the journal's folders. @param home the path of the home */
export function journalFolders(home: string): {
  readonly root: string;
  readonly owners: string;
  readonly segments: (signal: Signal) => string;
  readonly rejected: (signal: Signal) => string;
} {
  const root = join(home, TELEMETRY_FOLDER);
  return {
    root,
    owners: join(root, OWNERS_FOLDER),
    segments: (signal) => join(root, signal),
    rejected: (signal) => join(root, REJECTED_FOLDER, signal),
  };
}

/** The file name of an owner's cursor. */
export function cursorName(owner: string): string {
  return `${owner}${CURSOR}`;
}

/** A file in the folder of owners. */
export interface OwnerFile {
  readonly owner: string;
  /** `replacing`: the temporary file of a cursor that is about to replace the one before. A leftover if its owner is dead. */
  readonly kind: 'lock' | 'cursor' | 'replacing';
}

/** Parses a file name in the folder of owners. @returns `undefined` for a file that is not the journal's */
export function parseOwnerFile(name: string): OwnerFile | undefined {
  const match = OWNER_FILE.exec(name);
  if (!match) return undefined;
  const kind = match[3] !== undefined ? 'replacing' : match[2] === LOCK ? 'lock' : 'cursor';
  return { owner: match[1] ?? '', kind };
}

/** The name that a rejected batch and its record share, without `.jsonl` and `.json`. */
export function rejectedStem(epochMs: number, owner: string, number: number): string {
  return `${segmentTime(epochMs)}-${owner}-${number}`;
}

/** Whether a file in a folder of rejected batches is the journal's. */
export function isRejectedFile(name: string): boolean {
  return REJECTED_FILE.test(name);
}
