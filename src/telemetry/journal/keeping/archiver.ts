import { systemCode } from '../../../storage/index.ts';
import { warnAboutDisk } from '../../warnings/disk-warning.ts';
import { formatSegmentName, parseSegmentName } from '../format/segment-name.ts';
import type { JournalContext } from '../journal-context.ts';
import type { Segment } from '../segment.ts';
import type { SignalJournal } from '../signal-journal.ts';

const PRIVATE_FILE = 0o600;
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** Compresses settled segments, one at a time and off the event loop. Somebody may want to search or replay their lines. */
export class Archiver {
  readonly #context: JournalContext;

  constructor(context: JournalContext) {
    this.#context = context;
  }

  /** Archives every settled segment. @param isClosed whether to stop, asked before each file */
  async run(journals: readonly SignalJournal[], isClosed: () => boolean): Promise<void> {
    const { files } = this.#context;
    for (const journal of journals) {
      for (const segment of journal.segments.filter((each) => !each.open && each.isSettled)) {
        if (isClosed()) return;
        const { making, archive } = archiveOf(segment);
        try {
          await files.compress(segment.path, making, PRIVATE_FILE);
          files.rename(making, archive);
          files.remove(segment.path);
        } catch (error) {
          if (!this.#mayForget(segment, making, error)) return;
        }
        journal.forget(segment);
      }
    }
  }

  /** @returns whether a segment that could not be archived is gone. On a full disk it is removed, since it was delivered. */
  #mayForget(segment: Segment, making: string, error: unknown): boolean {
    const { files, warn } = this.#context;
    const code = systemCode(error);
    if (code === 'ENOENT') return true;
    try {
      files.remove(making);
    } catch {
      // There is none, or a later look removes it.
    }
    warnAboutDisk(warn, code, error);
    if (!FULL.has(code)) return false;
    try {
      files.remove(segment.path);
      return true;
    } catch {
      return false;
    }
  }
}

function archiveOf(segment: Segment): { readonly making: string; readonly archive: string } {
  const parts = parseSegmentName(segment.name);
  if (!parts) throw new TypeError('A segment has a name that is none.');
  const named = (kind: 'archive' | 'archiving'): string =>
    segment.path.slice(0, -segment.name.length) + formatSegmentName({ ...parts, kind });
  return { making: named('archiving'), archive: named('archive') };
}
