import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { processStatOf } from './proc-stat.ts';

/** Identifies one process, also after another process has taken its number. A field is absent where the platform has no such figure. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between the start of the machine and that of the process: field 22 of `/proc/<pid>/stat`. */
  readonly startTicks?: string | undefined;
  readonly bootId?: string | undefined;
  readonly pidNamespace?: string | undefined;
  readonly host: string;
}

/** What tells whether a process still runs. */
export interface RunningState {
  /** One letter, such as `S` for sleeping and `Z` for a zombie. */
  readonly state: string;
  /** See {@link ProcessIdentity.startTicks}. */
  readonly startTicks: string;
}

/** Answers questions about the processes of the machine. Tests pass answers of their own. */
export interface ProcessPort {
  /** This process. */
  self(): ProcessIdentity;
  /** The state letter and the start of a process. `undefined` if there is no such process, or the platform has no `/proc`. */
  stat(pid: number): RunningState | undefined;
}

function read<T>(question: () => T): T | undefined {
  try {
    return question();
  } catch {
    return undefined;
  }
}

function stat(pid: number): RunningState | undefined {
  const text = read(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const { state, startTicks } = processStatOf(text ?? '');
  return state === undefined || startTicks === undefined ? undefined : { state, startTicks };
}

/** Read once, since it never changes and every lock is compared with it. */
let self: ProcessIdentity | undefined;

/** The machine's own processes. */
export const systemProcesses: ProcessPort = {
  self: () =>
    (self ??= {
      pid: process.pid,
      startTicks: stat(process.pid)?.startTicks,
      bootId: read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
      pidNamespace: read(() => readlinkSync('/proc/self/ns/pid')),
      host: hostname(),
    }),
  stat,
};
