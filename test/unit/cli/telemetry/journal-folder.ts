import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { lockName } from '../../../../src/host/owners/owner-lock.ts';
import { systemProcesses } from '../../../../src/host/owners/process-identity.ts';
import { formatCursor } from '../../../../src/telemetry/journal/format/cursor.ts';
import { cursorName, journalFolders } from '../../../../src/telemetry/journal/format/layout.ts';
import type { Ranges } from '../../../../src/telemetry/journal/format/ranges.ts';
import { formatSegmentName } from '../../../../src/telemetry/journal/format/segment-name.ts';
import type { Signal } from '../../../../src/telemetry/semconv.ts';

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a segment is made of. */
export interface SegmentOptions {
  readonly owner?: string;
  readonly number?: number;
  readonly openedAt?: number;
  /** When it was last written. */
  readonly changedAt?: number;
  readonly archive?: boolean;
  /** Text after the last line break. */
  readonly tail?: string;
}

/** A journal on disk, laid down as processes would have. */
export class JournalFolder {
  readonly home: string;

  constructor() {
    this.home = join(temporaryFolder(), '.keelson');
    mkdirSync(this.home, { mode: 0o700 });
  }

  get telemetry(): string {
    return journalFolders(this.home).root;
  }

  /** Writes lines as a segment or an archive. @returns its path and its key in a cursor */
  segment(
    signal: Signal,
    lines: readonly string[],
    options: SegmentOptions = {},
  ): { readonly path: string; readonly key: string } {
    const { owner = '4711-9f3c', number = 0, openedAt = Date.UTC(2026, 10, 22), tail = '' } = options;
    const kind = options.archive === true ? 'archive' : 'segment';
    const name = formatSegmentName({ openedAt, owner, number, kind });
    const path = join(journalFolders(this.home).segments(signal), name);
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join('') + tail);
    this.file(path, kind === 'archive' ? gzipSync(bytes) : bytes);
    const changedAt = (options.changedAt ?? openedAt) / 1_000;
    utimesSync(path, changedAt, changedAt);
    return { path, key: `${signal}/${name}` };
  }

  /** Writes the lock of a process that lives, or of one that is gone. */
  lock(owner: string, state: 'alive' | 'gone', touchedAt: number): void {
    const self = systemProcesses.self();
    const lock = {
      version: 1,
      ...self,
      ...(state === 'gone' && { startTicks: '1' }),
      startedAt: new Date(touchedAt).toISOString(),
    };
    const path = join(journalFolders(this.home).owners, lockName(owner));
    this.file(path, JSON.stringify(lock));
    utimesSync(path, touchedAt / 1_000, touchedAt / 1_000);
  }

  cursor(owner: string, segments: Readonly<Record<string, Ranges>>): void {
    this.file(
      join(journalFolders(this.home).owners, cursorName(owner)),
      formatCursor({ owner, savedAt: 0, segments: new Map(Object.entries(segments)) }),
    );
  }

  file(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}
