export { observeGc } from './gc.ts';
export type { GcType } from './gc.ts';
export type { HostProbe, ProcessFiles, ProcessUsage } from './probe.ts';
export type { CpuTimes } from './proc-text.ts';
export type { ReadText } from './read-text.ts';
export { CPU_MODES, PRESSURE_RESOURCES } from './sample.ts';
export type {
  ContainerCpu,
  ContainerMemory,
  ContainerReading,
  ContainerSample,
  CpuMode,
  CpuSample,
  EventLoopSample,
  FilesystemSample,
  HeapSample,
  HostSample,
  LoadAverage,
  MemorySample,
  Pressure,
  PressureLine,
  PressureSample,
  ProcessSample,
} from './sample.ts';
export { DEFAULT_SAMPLE_INTERVAL_MS, HostSampler } from './sampler.ts';
export type { HostSamplerOptions } from './sampler.ts';
