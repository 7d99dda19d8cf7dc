import { join } from 'node:path';
import type { Random } from '../../core/random.ts';
import type { Clock, Timer } from '../../core/time/clock.ts';
import { HEARTBEAT_MS, Owner } from '../../host/owners/index.ts';
import type { ProcessPort } from '../../host/owners/index.ts';
import { systemCode } from '../../storage/index.ts';
import type { FilePort, Home } from '../../storage/index.ts';
import type { TelemetryCounts } from '../counts.ts';
import type { Signal } from '../semconv.ts';
import { warnAboutDisk } from '../warnings/disk-warning.ts';
import type { Warn } from '../warnings/warner.ts';
import { CursorFile } from './cursor-file.ts';
import { cursorName, OWNERS_FOLDER, TELEMETRY_FOLDER } from './format/layout.ts';
import type { Ranges } from './format/ranges.ts';
import type { JournalContext } from './journal-context.ts';
import type { CapLimits } from './keeping/caps.ts';
import { JournalKeeper } from './keeping/journal-keeper.ts';
import { SignalJournal } from './signal-journal.ts';

/** What a {@link Journal} is made of. */
export interface JournalParts {
  readonly home: Home;
  readonly clock: Clock;
  readonly random: Random;
  readonly files: FilePort;
  readonly processes: ProcessPort;
  readonly counts: TelemetryCounts;
  readonly warn: Warn;
  /** Called after a segment of this signal was taken over, since it holds something to send. */
  readonly onAdopted: (signal: Signal) => void;
  /** @defaultValue 512 MiB and 7 days */
  readonly limits?: CapLimits;
}

/** How long after the start to look for what other processes left, in milliseconds. The start itself pays nothing. */
const FIRST_SWEEP_MS = 1_000;
const SWEEP_MS = 30_000;

/** The journal of this process: its batches on disk, which of their bytes were delivered, and what it took over from dead processes. */
export class Journal {
  readonly #context: JournalContext;
  readonly #signals: SignalJournal[] = [];
  readonly #keeper: JournalKeeper;
  readonly #timers = new Set<Timer>();
  #closed = false;

  constructor({ home, clock, random, files, processes, counts, warn, onAdopted, limits }: JournalParts) {
    const folder = (): string => home.folder(TELEMETRY_FOLDER, OWNERS_FOLDER);
    const owner = new Owner({ folder, files, clock, random, processes });
    let number = 0;
    const cursor = new CursorFile({
      owner,
      folder,
      files,
      clock,
      segments: () => this.#settled(),
      onError: (error) => warnAboutDisk(warn, systemCode(error), error),
    });
    this.#context = {
      home,
      owner,
      cursor,
      files,
      clock,
      counts,
      warn,
      nextNumber: () => number++,
      onSegment: () => this.#keeper.segmentOpened(),
      onDiskFull: () => this.#keeper.diskFull(),
    };
    this.#keeper = new JournalKeeper(this.#context, processes, this.#signals, onAdopted, limits);
  }

  /** Opens the journal of one signal; call it once for each. @param delivers whether its lines are sent anywhere */
  open(signal: Signal, delivers: boolean): SignalJournal {
    const journal = new SignalJournal(this.#context, signal, delivers);
    this.#signals.push(journal);
    return journal;
  }

  /** Starts the heartbeat and the looks for what other processes left. Its timers do not keep the process alive. */
  begin(): void {
    const beat = (): void => {
      this.#context.owner.beat();
      this.#after(HEARTBEAT_MS, beat);
    };
    const sweep = (): void => {
      void this.#keeper.sweep();
      this.#after(SWEEP_MS, sweep);
    };
    this.#after(HEARTBEAT_MS, beat);
    this.#after(FIRST_SWEEP_MS, sweep);
  }

  /** Saves which bytes were delivered. */
  flush(): void {
    this.#context.cursor.flush();
  }

  /** Looks for what other processes left, if this one has not lived long enough to have done so. Never rejects. */
  firstLook(): Promise<void> {
    return this.#closed ? Promise.resolve() : this.#keeper.firstLook();
  }

  /** Ends all work, and releases the lock. Calling it again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#keeper.close();
    this.#leave();
    for (const signal of this.#signals) signal.close();
  }

  /**
   * The process ends: saves which bytes were delivered, and releases the lock, before it returns. The next process sends what waits, and archives what
   * was delivered. This one does not compress anything, so that its end is not held up.
   * Batches that are appended after that also go to the next process. If this process goes on after all, the next heartbeat makes its lock again.
   */
  leave(): void {
    if (!this.#closed) this.#leave();
  }

  #leave(): void {
    for (const signal of this.#signals) signal.endSegment();
    const { cursor, owner, files, home } = this.#context;
    this.#keeper.end();
    cursor.flush();
    if (owner.id === undefined) return;
    const rest = this.#signals.some((signal) => signal.segments.length > 0);
    try {
      owner.release();
      if (!rest) files.remove(join(home.folder(TELEMETRY_FOLDER, OWNERS_FOLDER), cursorName(owner.id)));
    } catch {
      // The next process finds a dead owner's lock, and removes it.
    }
  }

  #after(delayMs: number, work: () => void): void {
    const timer = this.#context.clock.setTimer(() => {
      this.#timers.delete(timer);
      if (!this.#closed) work();
    }, delayMs);
    timer.unref();
    this.#timers.add(timer);
  }

  #settled(): ReadonlyMap<string, Ranges> {
    return new Map(
      this.#signals.flatMap(({ segments }) => segments.map((segment) => [segment.key, segment.settled])),
    );
  }
}
