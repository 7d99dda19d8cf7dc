import { join } from 'node:path';
import { systemCode } from '../../storage/index.ts';
import { Redactor } from '../redaction/index.ts';
import type { Signal } from '../semconv.ts';
import { warnAboutDisk } from '../warnings/disk-warning.ts';
import { REJECTED_FOLDER, rejectedStem, TELEMETRY_FOLDER } from './format/layout.ts';
import { MAX_ANSWER_BYTES } from './format/rejected-record.ts';
import type { RejectedReason, RejectedRecord } from './format/rejected-record.ts';
import type { JournalContext } from './journal-context.ts';

/** A batch that is set aside, and why. */
export interface SetAside {
  readonly line: Uint8Array;
  readonly reason: RejectedReason;
  readonly items: number;
  readonly target: string;
  readonly status?: number | undefined;
  readonly answer?: string | undefined;
}

const PRIVATE_FILE = 0o600;
const NEWLINE = Buffer.from('\n');
const redactor = new Redactor();

/** Sets batches aside that a receiver refused for good, or that are damaged, so that somebody can look at them and send them again. */
export class RejectedFolder {
  readonly #context: JournalContext;

  constructor(context: JournalContext) {
    this.#context = context;
  }

  /** Writes a batch and the reason. If the disk refuses, one warning says so. The batch counts as lost either way. */
  keep(signal: Signal, { line, reason, items, target, status, answer }: SetAside): void {
    const { home, owner, files, clock, nextNumber, warn } = this.#context;
    const now = clock.epoch();
    const record: RejectedRecord = {
      version: 1,
      reason,
      status,
      answer: answer === undefined ? undefined : redactor.text(answer).slice(0, MAX_ANSWER_BYTES),
      target,
      time: new Date(now).toISOString(),
      items,
    };
    try {
      const folder = home.folder(TELEMETRY_FOLDER, REJECTED_FOLDER, signal);
      const stem = join(folder, rejectedStem(now, owner.take(), nextNumber()));
      // The record first: a line without one could not be told from a foreign file.
      files.writeNew(`${stem}.json`, `${JSON.stringify(record)}\n`, PRIVATE_FILE);
      files.writeNew(`${stem}.jsonl`, Buffer.concat([line, NEWLINE]), PRIVATE_FILE);
    } catch (error) {
      warnAboutDisk(warn, systemCode(error), error);
    }
  }
}
