import type { CpuMode, Pressure, PressureLine } from './sample.ts';

/**
 * What the files below /proc say. Every function here is pure, takes any text whatsoever, never throws, and gives only
 * finite numbers that are not negative: a figure that cannot be read is absent.
 */

const DIGITS = /^\d+(?:\.\d+)?$/;
const KIBIBYTE = 1_024;
const MICROSECONDS = 1e6;

/** The kernel's clock ticks in a second, as /proc shows them to programs on every platform that Node runs on (USER_HZ). */
export const TICKS_PER_SECOND = 100;

/** @returns the number that `text` is; `undefined` where it is none, or too large to be one */
export function amountOf(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  if (!DIGITS.test(trimmed)) return undefined;
  const amount = Number(trimmed);
  return Number.isFinite(amount) ? amount : undefined;
}

/** Reads lines of `key value`, such as `cpu.stat` and `memory.stat` of a control group. Lines of another form are passed over. */
export function keyedAmounts(text: string): ReadonlyMap<string, number> {
  const amounts = new Map<string, number>();
  for (const line of text.split('\n')) {
    const gap = line.indexOf(' ');
    const amount = gap > 0 ? amountOf(line.slice(gap + 1)) : undefined;
    if (amount !== undefined) amounts.set(line.slice(0, gap), amount);
  }
  return amounts;
}

/** Order of the columns of `/proc/stat`: proc(5). Interrupts and soft interrupts are one mode in OpenTelemetry. */
const STAT_COLUMNS: readonly CpuMode[] = [
  'user',
  'nice',
  'system',
  'idle',
  'iowait',
  'interrupt',
  'interrupt',
  'steal',
];

/** Processor times of the machine in seconds, all processors together. */
export interface CpuTimes {
  readonly logical: number;
  readonly time: Readonly<Partial<Record<CpuMode, number>>>;
}

/**
 * Reads `/proc/stat`.
 * @returns `undefined` where the line of all processors or those of each are missing
 */
export function cpuTimesOf(stat: string): CpuTimes | undefined {
  const columns = /^cpu +(.*)$/m.exec(stat)?.[1]?.trim().split(/ +/) ?? [];
  const logical = stat.match(/^cpu\d+ /gm)?.length ?? 0;
  const time: Partial<Record<CpuMode, number>> = {};
  for (const [index, mode] of STAT_COLUMNS.entries()) {
    const ticks = amountOf(columns[index]);
    if (ticks !== undefined) time[mode] = (time[mode] ?? 0) + ticks / TICKS_PER_SECOND;
  }
  return logical > 0 && time.idle !== undefined ? { logical, time } : undefined;
}

/** What `/proc/meminfo` tells, in bytes. */
export interface MemoryInfo {
  readonly total?: number | undefined;
  readonly available?: number | undefined;
  readonly swapTotal?: number | undefined;
  readonly swapFree?: number | undefined;
}

/** Reads `/proc/meminfo`. */
export function memoryInfoOf(meminfo: string): MemoryInfo {
  const bytes = (key: string): number | undefined => {
    const kibibytes = amountOf(new RegExp(`^${key}:\\s*(\\d+) kB$`, 'm').exec(meminfo)?.[1]);
    return kibibytes === undefined ? undefined : kibibytes * KIBIBYTE;
  };
  return {
    total: bytes('MemTotal'),
    available: bytes('MemAvailable'),
    swapTotal: bytes('SwapTotal'),
    swapFree: bytes('SwapFree'),
  };
}

/** Reads how many files the process may open from `/proc/self/limits`; `undefined` where there is no limit. */
export function openFileLimitOf(limits: string): number | undefined {
  return amountOf(/^Max open files +(\S+)/m.exec(limits)?.[1]);
}

function pressureLine(text: string, kind: 'some' | 'full'): PressureLine | undefined {
  const match = new RegExp(`^${kind} avg10=(\\S+) .*total=(\\S+)$`, 'm').exec(text);
  const percent = amountOf(match?.[1]);
  const microseconds = amountOf(match?.[2]);
  if (percent === undefined || microseconds === undefined) return undefined;
  return { share: Math.min(1, percent / 100), seconds: microseconds / MICROSECONDS };
}

/**
 * Reads a file of pressure stall information: https://docs.kernel.org/accounting/psi.html
 * @returns `undefined` where no line can be read; before Linux 5.13 there is no `full` for processors
 */
export function pressureOf(text: string): Pressure | undefined {
  const some = pressureLine(text, 'some');
  const full = pressureLine(text, 'full');
  return some || full ? { some, full } : undefined;
}
