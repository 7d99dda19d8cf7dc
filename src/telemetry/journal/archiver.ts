import { systemCode } from '../../storage/index.ts';
import { warnAboutDisk } from '../disk-warning.ts';
import type { JournalBase } from './journal-base.ts';
import { formatSegmentName, parseSegmentName } from './segment-name.ts';
import type { Segment } from './segment.ts';
import type { SignalJournal } from './signal-journal.ts';

const PRIVATE_FILE = 0o600;

/** Compresses segments that are settled, one at a time and off the event loop: lines are kept for whoever wants to search or replay them. */
export class Archiver {
  readonly #base: JournalBase;

  constructor(base: JournalBase) {
    this.#base = base;
  }

  /** Archives what is settled. @param isClosed asked before each file */
  async run(journals: readonly SignalJournal[], isClosed: () => boolean): Promise<void> {
    for (const journal of journals) {
      for (const segment of journal.segments.filter((each) => !each.open && each.isSettled)) {
        if (isClosed() || !(await this.#archive(segment))) return;
        journal.forget(segment);
      }
    }
  }

  async #archive(segment: Segment): Promise<boolean> {
    const { files, warn } = this.#base;
    const parts = parseSegmentName(segment.name);
    if (!parts) return false;
    const named = (kind: 'archive' | 'archiving'): string =>
      segment.path.slice(0, -segment.name.length) + formatSegmentName({ ...parts, kind });
    try {
      await files.compress(segment.path, named('archiving'), PRIVATE_FILE);
      files.rename(named('archiving'), named('archive'));
      files.remove(segment.path);
      return true;
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENOENT') return true;
      try {
        files.remove(named('archiving'));
      } catch {
        // It was not made, or a later look removes it.
      }
      warnAboutDisk(warn, code, error);
      return false;
    }
  }
}
