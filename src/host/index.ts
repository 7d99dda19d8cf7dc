export { cpuQuota, systemProbe } from './probe.ts';
export type { CpuTimes, HostProbe } from './probe.ts';
export { CPU_MODES } from './sample.ts';
export type {
  CpuMode,
  CpuSample,
  EventLoopSample,
  FilesystemSample,
  HostSample,
  MemorySample,
  ProcessSample,
} from './sample.ts';
export { DEFAULT_SAMPLE_INTERVAL_MS, HostSampler } from './sampler.ts';
export type { HostSamplerOptions } from './sampler.ts';
