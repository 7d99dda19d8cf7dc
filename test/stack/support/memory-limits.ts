import { at, shipped } from './documents.ts';

const LIMITER = ['processors', 'memory_limiter'];

/** @returns a share in percent of the container's memory that the Collector is shipped in, in MiB */
function shareMib(key: string): number {
  const memory = at(shipped('docker-compose.yml').document, ['services', 'otel-collector', 'mem_limit']);
  const share = Number(at(shipped('collector/config.yaml').document, [...LIMITER, key])) / 100;
  return Math.floor(Number(/^(\d+)m$/.exec(typeof memory === 'string' ? memory : '')?.[1]) * share);
}

/**
 * The memory limits of the container that the Collector is shipped in: a test's Collector has the whole machine.
 *
 * @param limitMib another limit, in MiB. @defaultValue the shipped one
 * @returns overlays for the stack
 */
export function memoryLimits(limitMib: number = shareMib('limit_percentage')): readonly string[] {
  const spikeMib = Math.min(shareMib('spike_limit_percentage'), Math.floor(limitMib / 2));
  const set = (key: string, value: number): string => `yaml:${LIMITER.join('::')}::${key}: ${value}`;
  return [set('limit_mib', limitMib), set('spike_limit_mib', spikeMib)];
}
