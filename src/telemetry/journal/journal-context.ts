import type { Clock } from '../../core/clock.ts';
import type { FilePort, Home } from '../../storage/index.ts';
import type { TelemetryCounts } from '../counts.ts';
import type { Signal } from '../semconv.ts';
import type { Warn } from '../warnings/warner.ts';
import type { CursorFile } from './cursor-file.ts';
import type { Owner } from '../../host/owners/index.ts';

/** What the parts of one journal share. */
export interface JournalBase {
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

/** What is waited for: how much, and since when. */
export interface Waiting {
  readonly items: number;
  readonly bytes: number;
  /** Milliseconds since 1970; `undefined` where nothing waits. */
  readonly oldestAt: number | undefined;
}

/** The folder of a signal's segments, made where it is missing. */
export function segmentsFolder(home: Home, signal: Signal): string {
  return home.folder('telemetry', signal);
}
