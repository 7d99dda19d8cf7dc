import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, told apart from every other that ever had its number. Absent where the platform does not tell. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between the start of the machine and that of the process: field 22 of `/proc/<pid>/stat`. */
  readonly startTicks?: string | undefined;
  readonly bootId?: string | undefined;
  readonly pidNamespace?: string | undefined;
  readonly host: string;
}

/** What is asked of the machine about processes; tests answer in its place. */
export interface ProcessPort {
  /** This process. */
  self(): ProcessIdentity;
  /** State letter and start of a process; `undefined` where there is none, or the platform does not tell. */
  stat(pid: number): { readonly state: string; readonly startTicks: string } | undefined;
}

const FIRST_AFTER_NAME = 3;
const START_TICKS = 22;

/**
 * Reads `/proc/<pid>/stat`. The name in it may hold blanks and parentheses: fields are counted behind the last one.
 * Source: proc_pid_stat(5).
 */
export function parseStat(text: string): { readonly state: string; readonly startTicks: string } | undefined {
  const fields = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/);
  const state = fields[0];
  const startTicks = fields[START_TICKS - FIRST_AFTER_NAME];
  if (state === undefined || startTicks === undefined || !/^\d+$/.test(startTicks)) return undefined;
  return { state, startTicks };
}

function read<T>(question: () => T): T | undefined {
  try {
    return question();
  } catch {
    return undefined;
  }
}

function stat(pid: number): ReturnType<typeof parseStat> {
  const text = read(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return text === undefined ? undefined : parseStat(text);
}

/** Asked once: it does not change, and is compared with every lock. */
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
