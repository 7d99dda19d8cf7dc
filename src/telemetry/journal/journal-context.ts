import type { Clock } from '../../core/time/clock.ts';
import type { Owner } from '../../host/owners/index.ts';
import type { FilePort, Home } from '../../storage/index.ts';
import type { TelemetryCounts } from '../counts.ts';
import type { Warn } from '../warnings/warner.ts';
import type { CursorFile } from './cursor-file.ts';

/** What all parts of one journal share: where they write, as whom, and whom they tell. */
export interface JournalContext {
  readonly home: Home;
  readonly owner: Owner;
  readonly cursor: CursorFile;
  readonly files: FilePort;
  readonly clock: Clock;
  readonly counts: TelemetryCounts;
  readonly warn: Warn;
  /** Counts files of this owner, so that no two have one name. */
  readonly nextNumber: () => number;
  /** A segment was opened. */
  readonly onSegment: () => void;
  /** The disk is full. */
  readonly onDiskFull: () => void;
}
