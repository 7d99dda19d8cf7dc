import { join } from 'node:path';
import type { Clock, Timer } from '../../core/time/clock.ts';
import type { Owner } from '../../host/owners/index.ts';
import type { FilePort } from '../../storage/index.ts';
import { formatCursor } from './format/cursor.ts';
import { cursorName } from './format/layout.ts';
import type { Ranges } from './format/ranges.ts';

/** What a {@link CursorFile} is made of. */
export interface CursorFileParts {
  readonly owner: Owner;
  readonly folder: () => string;
  readonly files: FilePort;
  readonly clock: Clock;
  /** Which bytes are settled, by `<signal>/<file>`. */
  readonly segments: () => ReadonlyMap<string, Ranges>;
  readonly onError: (error: unknown) => void;
}

/** How long a delivery may stay unsaved, in milliseconds. A kill within that time makes the next process send it again. */
export const CURSOR_DELAY_MS = 200;

/** How long to wait after a save that failed, in milliseconds. */
const RETRY_MS = 1_000;

const PRIVATE_FILE = 0o600;

/** Saves to disk which bytes were delivered. One save covers several deliveries. */
export class CursorFile {
  readonly #parts: CursorFileParts;
  #timer: Timer | undefined;

  constructor(parts: CursorFileParts) {
    this.#parts = parts;
  }

  /** Something was delivered. Saves it within {@link CURSOR_DELAY_MS}. */
  changed(): void {
    this.#saveIn(CURSOR_DELAY_MS);
  }

  /** Saves now if something is not saved yet. */
  flush(): void {
    if (!this.#timer) return;
    this.#timer.cancel();
    this.#timer = undefined;
    this.save();
  }

  /** Saves now. @returns whether it could be written */
  save(): boolean {
    const { owner, folder, files, clock, segments, onError } = this.#parts;
    const { id } = owner;
    if (id === undefined) return false;
    try {
      const text = formatCursor({ owner: id, savedAt: clock.epoch(), segments: segments() });
      files.replace(join(folder(), cursorName(id)), text, PRIVATE_FILE);
      return true;
    } catch (error) {
      onError(error);
      this.#saveIn(RETRY_MS);
      return false;
    }
  }

  #saveIn(delayMs: number): void {
    if (this.#timer) return;
    this.#timer = this.#parts.clock.setTimer(() => {
      this.#timer = undefined;
      this.save();
    }, delayMs);
    this.#timer.unref();
  }
}
