import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessPort } from '../../../../src/host/owners/process-identity.ts';
import { Home } from '../../../../src/storage/index.ts';
import { TelemetryCounts } from '../../../../src/telemetry/counts.ts';
import { Journal } from '../../../../src/telemetry/journal/journal.ts';
import type { BacklogLine, SignalJournal } from '../../../../src/telemetry/journal/signal-journal.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { seededRandom } from '../../../../src/testing/seeded-random.ts';
import { FaultyFiles } from '../../storage/faulty-files.ts';

/** A line with so many items, and a number to know it by. */
export function line(number: number, items = 1): Buffer {
  const spans = Array.from({ length: items }, () => ({ startTimeUnixNano: '1' }));
  return Buffer.from(JSON.stringify({ resourceSpans: [{ number, spans }] }));
}

/** The number of a line. */
export function numberOf(backlog: BacklogLine | undefined): number | undefined {
  if (!backlog) return undefined;
  return JSON.parse(Buffer.from(backlog.body).toString()).resourceSpans[0].number;
}

/** One process on a home: its journal, and what it said. */
export interface Process {
  readonly journal: Journal;
  readonly traces: SignalJournal;
  readonly counts: TelemetryCounts;
  readonly warnings: string[];
  readonly files: FaultyFiles;
  /** Takes everything that waits, and settles it. @returns the numbers of the lines */
  readonly drain: () => number[];
}

/** A home in a temporary folder with processes that live and die as a test says. Use with `using`. */
export class JournalBench {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'keelson-journal-'));
  readonly clock: FakeClock = new FakeClock(Date.UTC(2026, 10, 22, 1, 45));
  readonly #living = new Set<number>();
  #seed = 1;

  /** Starts a process. Without `kill` it lives. */
  start(
    pid: number,
    {
      delivers = true,
      seed = this.#seed++,
      limits,
      clock = this.clock,
      pidNamespace = 'pid:[1]',
    }: Partial<StartOptions> = {},
  ): Process {
    this.#living.add(pid);
    const counts = new TelemetryCounts();
    const warnings: string[] = [];
    const files = new FaultyFiles();
    const journal = new Journal({
      home: new Home({ path: this.folder, files }),
      clock,
      random: seededRandom(seed),
      files,
      processes: this.#processes(pid, pidNamespace),
      counts,
      warn: (_, message) => warnings.push(message),
      onAdopted: () => {},
      ...(limits && { limits }),
    });
    const traces = journal.open('traces', delivers);
    journal.begin();
    const drain = (): number[] => {
      const numbers: number[] = [];
      for (let next = traces.next(); next; next = traces.next()) {
        numbers.push(numberOf(next) ?? Number.NaN);
        traces.settle(next.place, next.items);
      }
      return numbers;
    };
    return { journal, traces, counts, warnings, files, drain };
  }

  /** The process is gone, and did nothing at its end. */
  kill(pid: number): void {
    this.#living.delete(pid);
  }

  path(...parts: string[]): string {
    return join(this.folder, 'telemetry', ...parts);
  }

  list(...parts: string[]): string[] {
    try {
      return readdirSync(this.path(...parts)).sort();
    } catch {
      return [];
    }
  }

  text(...parts: string[]): string {
    return readFileSync(this.path(...parts), 'utf8');
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #processes(self: number, pidNamespace: string): ProcessPort {
    const identity = { bootId: 'boot', pidNamespace, host: 'here' };
    return {
      self: () => ({ pid: self, startTicks: String(self * 10), ...identity }),
      stat: (pid) => (this.#living.has(pid) ? { state: 'S', startTicks: String(pid * 10) } : undefined),
    };
  }
}

interface StartOptions {
  /** Its own, for a process that is stopped; that of the bench otherwise. */
  readonly clock: FakeClock;
  /** Processes of different ones know of each other by heartbeats alone. */
  readonly pidNamespace: string;
  readonly delivers: boolean;
  readonly seed: number;
  readonly limits: {
    readonly maxTotalBytes: number;
    readonly maxAgeMs: number;
    readonly maxRejectedFiles?: number;
    readonly segmentBytes: number;
  };
}
