import type { ProcessPort } from '../../../host/owners/index.ts';
import { systemCode } from '../../../storage/index.ts';
import type { Signal } from '../../semconv.ts';
import { warnAboutDisk } from '../../warnings/disk-warning.ts';
import { OWNERS_FOLDER, TELEMETRY_FOLDER } from '../format/layout.ts';
import type { JournalContext } from '../journal-context.ts';
import type { SignalJournal } from '../signal-journal.ts';
import { Adoption } from './adoption.ts';
import { Archiver } from './archiver.ts';
import { Caps } from './caps.ts';
import type { CapLimits } from './caps.ts';
import { Slices } from './slices.ts';

/** Looks after the journal from time to time: takes over segments of dead owners, archives settled ones, and keeps all within the caps. */
export class JournalKeeper {
  readonly #context: JournalContext;
  readonly #journals: readonly SignalJournal[];
  readonly #adoption: Adoption;
  readonly #archiver: Archiver;
  readonly #caps: Caps;
  #sweeping: Promise<void> | undefined;
  #hasLooked = false;
  #closed = false;

  constructor(
    context: JournalContext,
    processes: ProcessPort,
    journals: readonly SignalJournal[],
    onAdopted: (signal: Signal) => void,
    limits?: CapLimits,
  ) {
    this.#context = context;
    this.#journals = journals;
    this.#adoption = new Adoption(context, processes, onAdopted);
    this.#archiver = new Archiver(context);
    this.#caps = new Caps(context, processes, journals, limits);
  }

  /** One look. A second call meanwhile joins it. Never rejects. */
  sweep(): Promise<void> {
    this.#hasLooked = true;
    this.#sweeping ??= this.#look().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  /** The first look, if there was none yet. Never rejects. */
  firstLook(): Promise<void> {
    return this.#hasLooked ? Promise.resolve() : this.sweep();
  }

  /** See {@link Caps.makeRoom}. */
  diskFull(): void {
    this.#caps.makeRoom();
  }

  /** See {@link Caps.segmentOpened}. */
  segmentOpened(): void {
    this.#caps.segmentOpened();
  }

  /** The process ends. Enforces the caps, which a process that lives too short for a look would never do. */
  end(): void {
    for (const journal of this.#journals) journal.checkFiles();
    try {
      if (this.#context.home.check()) this.#caps.enforce();
    } catch {
      // A refused home is not tidied up. The writer has warned of it.
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #look(): Promise<void> {
    const isClosed = (): boolean => this.#closed;
    try {
      const slices = new Slices(this.#context.clock);
      for (const journal of this.#journals) {
        journal.rotate();
        for (const _ of journal.checkingFiles()) await slices.pause();
      }
      // In a refused home, another user can have planted files that would be sent.
      if (!this.#context.home.check()) return;
      await this.#adoption.run(this.#journals, isClosed);
      await this.#archiver.run(this.#journals, isClosed);
      if (!this.#closed) this.#caps.enforce();
    } catch (error) {
      const cause = this.#whyUnwritable() ?? error;
      warnAboutDisk(this.#context.warn, systemCode(cause), cause);
    }
  }

  /** The error that writers meet too, if there is one. Then both give the same warning, once. */
  #whyUnwritable(): unknown {
    try {
      this.#context.home.folder(TELEMETRY_FOLDER, OWNERS_FOLDER);
      return undefined;
    } catch (error) {
      return error;
    }
  }
}
