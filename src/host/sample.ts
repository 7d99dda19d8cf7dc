/** Modes of the processor that every platform tells. */
export const CPU_MODES = ['user', 'nice', 'system', 'idle', 'interrupt'] as const;

/** A mode of the processor, named as in OpenTelemetry's `cpu.mode`. */
export type CpuMode = (typeof CPU_MODES)[number];

/** Processors of the machine, all together. */
export interface CpuSample {
  /** Logical processors of the machine. */
  readonly logical: number;
  /** Seconds since the machine started, by mode. */
  readonly time: Readonly<Record<CpuMode, number>>;
  /** Share of the time since the sample before, 0 to 1, by mode; absent in the first sample. */
  readonly utilization?: Readonly<Record<CpuMode, number>> | undefined;
}

/** Memory in bytes, of the container where it has a limit, else of the machine. */
export interface MemorySample {
  readonly source: 'container' | 'host';
  readonly limit: number;
  /** What cannot be had back without harm: the working set of the container, or total less available. */
  readonly used: number;
  /** `limit - used`. */
  readonly available: number;
  /** `used / limit`, 0 to 1. */
  readonly utilization: number;
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
  readonly memory?: MemorySample | undefined;
  readonly filesystem?: FilesystemSample | undefined;
  readonly process?: ProcessSample | undefined;
  readonly eventLoop?: EventLoopSample | undefined;
}
