/** Modes of the processor; not every platform tells all. */
export const CPU_MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'interrupt', 'steal'] as const;

/** A mode of the processor, named as in OpenTelemetry's `cpu.mode`. */
export type CpuMode = (typeof CPU_MODES)[number];

/** Processors of the machine, all together. */
export interface CpuSample {
  /** Logical processors of the machine. */
  readonly logical: number;
  /** Seconds since the machine started, by mode; `iowait` and `steal` only on Linux. */
  readonly time: Readonly<Partial<Record<CpuMode, number>>>;
  /** Share of the time since the sample before, 0 to 1, by mode; absent in the first sample. */
  readonly utilization?: Readonly<Partial<Record<CpuMode, number>>> | undefined;
}

/** Memory of the machine in bytes. What a container may use of it is in {@link ContainerSample}. */
export interface MemorySample {
  readonly limit: number;
  /** What cannot be had back without harm: the limit less what is available. */
  readonly used: number;
  /** What programs can still have without swapping. */
  readonly available: number;
  /** `used / limit`, 0 to 1. */
  readonly utilization: number;
  /** Space to swap to; absent where the machine has none. */
  readonly swap?: { readonly used: number; readonly free: number } | undefined;
}

/** Averages of the run queue over 1, 5 and 15 minutes. */
export type LoadAverage = readonly [number, number, number];

/** Resources whose shortage the kernel measures. */
export const PRESSURE_RESOURCES = ['cpu', 'memory', 'io'] as const;

/** How much time was lost to waiting for a resource. */
export interface PressureLine {
  /** Share of the last ten seconds, 0 to 1. */
  readonly share: number;
  /** Seconds since the start. */
  readonly seconds: number;
}

/** Pressure on one resource. */
export interface Pressure {
  /** At least one task waited. */
  readonly some?: PressureLine | undefined;
  /** All tasks that had something to do waited. */
  readonly full?: PressureLine | undefined;
}

/** Pressure by resource. */
export type PressureSample = Readonly<Partial<Record<(typeof PRESSURE_RESOURCES)[number], Pressure>>>;

/** Memory of a container in bytes. */
export interface ContainerMemory {
  /** Absent where it has no limit. */
  readonly limit?: number | undefined;
  readonly usage: number;
  /** The usage without what the kernel can drop at once: when this reaches the limit, the kernel kills. */
  readonly workingSet: number;
}

/** Processors of a container. */
export interface ContainerCpu {
  /** Processors that it may use, such as 0.5; absent where it has no quota. */
  readonly limit?: number | undefined;
  /** Seconds of processor time since the container started. */
  readonly time?: { readonly user: number; readonly system: number } | undefined;
  /** How the quota was kept, since the container started. */
  readonly throttling?:
    | {
        readonly periods: number;
        readonly throttledPeriods: number;
        readonly throttledSeconds: number;
      }
    | undefined;
}

/** What the kernel tells of the container. */
export interface ContainerReading {
  readonly memory?: ContainerMemory | undefined;
  readonly cpu?: ContainerCpu | undefined;
  readonly pressure?: PressureSample | undefined;
}

/** The container: the control group that limits this process, or its own where none does. */
export interface ContainerSample extends ContainerReading {
  /** Processors that were used on average since the sample before; absent in the first sample. */
  readonly cpuUsage?: number | undefined;
}

/** The file system that holds the sampled path, in bytes. */
export interface FilesystemSample {
  readonly path: string;
  readonly limit: number;
  readonly used: number;
  /** What this user can still write. */
  readonly free: number;
  /** What only the administrator can still write. */
  readonly reserved: number;
  /** `used / (used + free)`, 0 to 1, as `df` counts. */
  readonly utilization: number;
  /** Files that can still be made and that exist; absent where the file system has no fixed number. */
  readonly inodes?: { readonly used: number; readonly free: number } | undefined;
}

/** This process. */
export interface ProcessSample {
  /** Seconds of processor time since the start. */
  readonly cpuUser: number;
  readonly cpuSystem: number;
  /** Share of the processors that the process may use, 0 to 1, since the sample before; absent in the first sample. */
  readonly cpuUtilization?: { readonly user: number; readonly system: number } | undefined;
  /** Processors that the process may use: the container's quota, else those of the machine. */
  readonly cpuLimit: number;
  /** Resident set in bytes. */
  readonly memory: number;
  /** Seconds since the start. */
  readonly uptime: number;
  /** Open file descriptors; absent where /proc does not tell. */
  readonly openFiles?: number | undefined;
  /** File descriptors that the process may hold open; absent where there is no limit or /proc does not tell. */
  readonly openFileLimit?: number | undefined;
  /** Threads of the process; absent where /proc does not tell. */
  readonly threads?: number | undefined;
  /** How often the process gave up a processor, and how often it was taken from it; absent on Windows. */
  readonly contextSwitches?: { readonly voluntary: number; readonly involuntary: number } | undefined;
  /** Page faults that were served from the disk, and from memory; absent on Windows. */
  readonly pageFaults?: { readonly major: number; readonly minor: number } | undefined;
}

/** The heap of V8 in bytes. */
export interface HeapSample {
  /** What the heap may grow to before V8 ends the process. */
  readonly limit: number;
  readonly spaces: readonly {
    /** As V8 names it, such as `old_space`. */
    readonly name: string;
    readonly size: number;
    readonly used: number;
    readonly available: number;
    readonly physical: number;
  }[];
}

/** The event loop since the sample before. */
export interface EventLoopSample {
  /** Seconds by which a timer of 10 ms came late; absent where nothing was measured since the sample before. */
  readonly delay?:
    | {
        readonly min: number;
        readonly max: number;
        readonly mean: number;
        readonly stddev: number;
        readonly p50: number;
        readonly p90: number;
        readonly p99: number;
      }
    | undefined;
  /** Share of the time in which the loop was busy, 0 to 1. */
  readonly utilization: number;
  /** Seconds since the start. */
  readonly active: number;
  readonly idle: number;
}

/** Everything known at one moment. A field that the platform does not tell is `undefined`. */
export interface HostSample {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly at: number;
  readonly cpu?: CpuSample | undefined;
  readonly load?: LoadAverage | undefined;
  readonly memory?: MemorySample | undefined;
  /** Pressure on the resources of the machine. */
  readonly pressure?: PressureSample | undefined;
  readonly container?: ContainerSample | undefined;
  readonly filesystem?: FilesystemSample | undefined;
  readonly process?: ProcessSample | undefined;
  readonly eventLoop?: EventLoopSample | undefined;
  readonly heap?: HeapSample | undefined;
}
