export { observeGc } from './gc.ts';
export type { HostProbe } from './probe.ts';
export { CPU_MODES, PRESSURE_RESOURCES } from './sample.ts';
export type { ContainerSample, HeapSample, HostSample, PressureSample, ProcessSample } from './sample.ts';
export { DEFAULT_SAMPLE_INTERVAL_MS, HostSampler } from './sampler.ts';
export type { HostSamplerOptions } from './sampler.ts';
