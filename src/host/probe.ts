import { readFile } from 'node:fs';
import { readdir, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';

import type { CpuMode, FilesystemSample, MemorySample } from './sample.ts';

/** Processor times of the machine in seconds. */
export interface CpuTimes {
  readonly logical: number;
  readonly time: Readonly<Record<CpuMode, number>>;
}

/** Where the sampler's figures come from. Tests put their own machine in here. Every method may throw or reject. */
export interface HostProbe {
  cpuTimes(): CpuTimes;
  /** Microseconds of processor time of this process since its start. */
  processCpu(): { readonly user: number; readonly system: number };
  residentBytes(): number;
  uptimeSeconds(): number;
  memory(): Promise<MemorySample>;
  filesystem(path: string): Promise<FilesystemSample>;
  openFiles(): Promise<number>;
  /** Processors that this process may use. */
  cpuLimit(): Promise<number>;
}

const MEMINFO_AVAILABLE = /^MemAvailable:\s+(\d+) kB$/m;
const INACTIVE_FILE = /^(?:total_)?inactive_file (\d+)$/m;

/** @returns the text of a file; `undefined` where it cannot be read */
function textOf(path: string): Promise<string | undefined> {
  // The callback form: starting a read through fs.promises was measured at 0.37 ms.
  return new Promise((resolve) => {
    readFile(path, 'utf8', (error, text) => resolve(error ? undefined : text));
  });
}

function numberIn(text: string | undefined, pattern: RegExp): number | undefined {
  const match = text === undefined ? null : pattern.exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** The container's memory: what is used less what the kernel can drop (inactive file pages), as Kubernetes counts its working set. */
async function containerMemory(limit: number): Promise<MemorySample | undefined> {
  for (const [current, stat] of [
    ['/sys/fs/cgroup/memory.current', '/sys/fs/cgroup/memory.stat'],
    ['/sys/fs/cgroup/memory/memory.usage_in_bytes', '/sys/fs/cgroup/memory/memory.stat'],
  ] as const) {
    const usage = numberIn(await textOf(current), /^(\d+)\s*$/);
    if (usage === undefined) continue;
    const used = Math.max(0, usage - (numberIn(await textOf(stat), INACTIVE_FILE) ?? 0));
    return memoryOf('container', limit, used);
  }
  return undefined;
}

function memoryOf(source: MemorySample['source'], limit: number, used: number): MemorySample {
  const bounded = Math.min(Math.max(used, 0), limit);
  return {
    source,
    limit,
    used: bounded,
    available: limit - bounded,
    utilization: limit > 0 ? bounded / limit : 0,
  };
}

/**
 * Reads the processor quota of a container.
 * @param text content of cgroup v2's `cpu.max`, such as `50000 100000`
 * @returns processors, such as 0.5; `undefined` where there is no quota
 */
export function cpuQuota(text: string | undefined): number | undefined {
  const match = text === undefined ? null : /^(-?\d+)\s+(\d+)/.exec(text);
  const quota = Number(match?.[1]);
  const period = Number(match?.[2]);
  return quota > 0 && period > 0 ? quota / period : undefined;
}

/** The machine itself, through Node and /proc; no child process. */
export const systemProbe: HostProbe = {
  cpuTimes() {
    const time: Record<CpuMode, number> = { user: 0, nice: 0, system: 0, idle: 0, interrupt: 0 };
    const list = cpus();
    for (const { times } of list) {
      time.user += times.user / 1_000;
      time.nice += times.nice / 1_000;
      time.system += times.sys / 1_000;
      time.idle += times.idle / 1_000;
      time.interrupt += times.irq / 1_000;
    }
    return { logical: list.length, time };
  },
  processCpu: () => process.cpuUsage(),
  residentBytes: () => process.memoryUsage.rss(),
  uptimeSeconds: () => process.uptime(),
  async memory() {
    const total = totalmem();
    const limit = process.constrainedMemory();
    if (limit > 0 && limit < total) {
      return (
        (await containerMemory(limit)) ?? memoryOf('container', limit, limit - process.availableMemory())
      );
    }
    const available = numberIn(await textOf('/proc/meminfo'), MEMINFO_AVAILABLE);
    return memoryOf('host', total, total - (available === undefined ? freemem() : available * 1_024));
  },
  async filesystem(path) {
    const facts = await statfs(path);
    const limit = facts.blocks * facts.bsize;
    const free = facts.bavail * facts.bsize;
    const used = (facts.blocks - facts.bfree) * facts.bsize;
    const reserved = Math.max(0, (facts.bfree - facts.bavail) * facts.bsize);
    return { path, limit, used, free, reserved, utilization: used + free > 0 ? used / (used + free) : 0 };
  },
  // The listing itself holds one descriptor.
  openFiles: async () => (await readdir('/proc/self/fd')).length - 1,
  async cpuLimit() {
    const machine = availableParallelism();
    const v2 = cpuQuota(await textOf('/sys/fs/cgroup/cpu.max'));
    if (v2 !== undefined) return Math.min(machine, v2);
    const quota = await textOf('/sys/fs/cgroup/cpu/cpu.cfs_quota_us');
    const period = await textOf('/sys/fs/cgroup/cpu/cpu.cfs_period_us');
    const v1 = cpuQuota(
      quota === undefined || period === undefined ? undefined : `${quota.trim()} ${period}`,
    );
    return v1 === undefined ? machine : Math.min(machine, v1);
  },
};
