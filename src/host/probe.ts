import { readdir, stat } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, loadavg, totalmem } from 'node:os';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { CgroupReader, readPressure } from './cgroup.ts';
import { processStatOf } from './owners/index.ts';
import { cpuTimesOf, memoryInfoOf, openFileLimitOf } from './proc-text.ts';
import type { CpuTimes } from './proc-text.ts';
import { readText } from './read-text.ts';
import type { ReadText } from './read-text.ts';
import type {
  ContainerReading,
  CpuMode,
  FilesystemSample,
  HeapSample,
  LoadAverage,
  MemorySample,
  PressureSample,
  ProcessSample,
} from './sample.ts';

/** What the kernel counts for this process since its start. */
export interface ProcessUsage extends Pick<ProcessSample, 'contextSwitches' | 'pageFaults'> {
  /** Seconds of processor time. */
  readonly user: number;
  readonly system: number;
}

/** What /proc tells of this process. */
export type ProcessFiles = Pick<ProcessSample, 'openFiles' | 'openFileLimit' | 'threads'>;

/** Where the sampler's figures come from. Tests put their own machine in here. Every method may throw or reject. */
export interface HostProbe {
  processUsage(): ProcessUsage;
  residentBytes(): number;
  uptimeSeconds(): number;
  /** Processors of the machine that this process may use, quotas left aside. */
  parallelism(): number;
  heap(): HeapSample;
  load(): LoadAverage | undefined;
  cpuTimes(): Promise<CpuTimes>;
  memory(): Promise<MemorySample>;
  pressure(): Promise<PressureSample | undefined>;
  container(): Promise<ContainerReading | undefined>;
  filesystem(path: string): Promise<FilesystemSample>;
  processFiles(): Promise<ProcessFiles>;
}

const MILLISECONDS = 1_000;
const MICROSECONDS = 1e6;

/** For platforms without /proc/stat: Node asks the system for each processor, on this thread. */
function cpuTimesOfNode(): CpuTimes {
  const time: Record<Exclude<CpuMode, 'iowait' | 'steal'>, number> = {
    user: 0,
    nice: 0,
    system: 0,
    idle: 0,
    interrupt: 0,
  };
  const list = cpus();
  for (const { times } of list) {
    time.user += times.user / MILLISECONDS;
    time.nice += times.nice / MILLISECONDS;
    time.system += times.sys / MILLISECONDS;
    time.idle += times.idle / MILLISECONDS;
    time.interrupt += times.irq / MILLISECONDS;
  }
  return { logical: list.length, time };
}

function memoryOf(limit: number, available: number, swap: MemorySample['swap']): MemorySample {
  const free = Math.min(Math.max(available, 0), limit);
  const used = limit - free;
  return { limit, used, available: free, utilization: limit > 0 ? used / limit : 0, swap };
}

/** Since Linux 6.2 the size of the folder is the number of descriptors; a listing of thousands would hold the event loop. */
function openFilesOf(folder: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    stat(folder, (error, facts) => {
      if (error || facts.size > 0) {
        resolve(error ? undefined : facts.size);
        return;
      }
      // The listing itself holds one descriptor.
      readdir(folder, (failure, names) => resolve(failure ? undefined : names.length - 1));
    });
  });
}

/**
 * Makes the probe of the machine itself, through Node, /proc and the files of control groups; no child process.
 * @param read reads the files
 * @param platform as `process.platform` names it
 */
export function makeSystemProbe(read: ReadText = readText, platform: string = process.platform): HostProbe {
  const cgroups = new CgroupReader(read);
  const isWindows = platform === 'win32';
  return {
    processUsage() {
      const usage = process.resourceUsage();
      return {
        user: usage.userCPUTime / MICROSECONDS,
        system: usage.systemCPUTime / MICROSECONDS,
        // Windows does not count these: libuv leaves them at 0, or has another meaning for them.
        contextSwitches: isWindows
          ? undefined
          : { voluntary: usage.voluntaryContextSwitches, involuntary: usage.involuntaryContextSwitches },
        pageFaults: isWindows ? undefined : { major: usage.majorPageFault, minor: usage.minorPageFault },
      };
    },
    residentBytes: () => process.memoryUsage.rss(),
    uptimeSeconds: () => process.uptime(),
    parallelism: () => availableParallelism(),
    heap: () => ({
      limit: getHeapStatistics().heap_size_limit,
      spaces: getHeapSpaceStatistics().map((space) => ({
        name: space.space_name,
        size: space.space_size,
        used: space.space_used_size,
        available: space.space_available_size,
        physical: space.physical_space_size,
      })),
    }),
    load() {
      if (isWindows) return undefined;
      const [one = 0, five = 0, fifteen = 0] = loadavg();
      return [one, five, fifteen];
    },
    cpuTimes: async () => cpuTimesOf((await read('/proc/stat')) ?? '') ?? cpuTimesOfNode(),
    async memory() {
      const info = memoryInfoOf((await read('/proc/meminfo')) ?? '');
      const { swapTotal = 0, swapFree = 0 } = info;
      const swap =
        swapTotal > 0 && swapFree <= swapTotal ? { used: swapTotal - swapFree, free: swapFree } : undefined;
      return memoryOf(info.total ?? totalmem(), info.available ?? freemem(), swap);
    },
    pressure: () => readPressure(read, (resource) => `/proc/pressure/${resource}`),
    container: () => cgroups.container(),
    async filesystem(path) {
      const facts = await statfs(path);
      const limit = facts.blocks * facts.bsize;
      const free = facts.bavail * facts.bsize;
      const used = (facts.blocks - facts.bfree) * facts.bsize;
      const reserved = Math.max(0, (facts.bfree - facts.bavail) * facts.bsize);
      return {
        path,
        limit,
        used,
        free,
        reserved,
        utilization: used + free > 0 ? used / (used + free) : 0,
        inodes: facts.files > 0 ? { used: facts.files - facts.ffree, free: facts.ffree } : undefined,
      };
    },
    async processFiles() {
      return {
        openFiles: await openFilesOf('/proc/self/fd'),
        openFileLimit: openFileLimitOf((await read('/proc/self/limits')) ?? ''),
        threads: processStatOf((await read('/proc/self/stat')) ?? '').threads,
      };
    },
  };
}
