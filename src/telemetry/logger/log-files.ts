import type { Clock } from '../../core/time/clock.ts';
import { JsonLinesWriter } from '../../storage/index.ts';
import type { FilePort, Home } from '../../storage/index.ts';
import { warnAboutDisk } from '../warnings/disk-warning.ts';
import type { Warn } from '../warnings/warner.ts';

/** Files of the logger that are kept, over size and age; a day may have several. */
export const MAX_LOG_FILES = 32;

/** What {@link LogFiles} are made of. */
export interface LogFilesOptions {
  readonly home: Home;
  readonly clock: Clock;
  readonly files: FilePort;
  readonly warn: Warn;
}

/** The logger's daily files, below `<home>/logs`. A line that the disk does not take is counted, never waited for: its log record is in the journal. */
export class LogFiles {
  readonly #writer: JsonLinesWriter;
  readonly #warn: Warn;
  #lost = 0;

  constructor({ home, clock, files, warn }: LogFilesOptions) {
    const folder = (): string => home.folder('logs');
    this.#writer = new JsonLinesWriter({ folder, naming: 'daily', maxFiles: MAX_LOG_FILES, clock, files });
    this.#warn = warn;
  }

  /** Lines that are missing from the files. */
  get lost(): number {
    return this.#lost;
  }

  /** @param line without a line break */
  append(line: string): void {
    const result = this.#writer.append([line]);
    if (result.written) return;
    this.#lost += 1;
    if (result.reason !== 'closed') warnAboutDisk(this.#warn, result.code, result.error);
  }

  close(): void {
    this.#writer.close();
  }
}
