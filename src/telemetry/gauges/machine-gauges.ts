import type { Attributes } from '@opentelemetry/api';
import { CPU_MODES, PRESSURE_RESOURCES } from '../../host/index.ts';
import type { ContainerSample, HostSample, PressureSample } from '../../host/index.ts';
import type { MetricDefinition } from '../../signals/semconv.ts';
import * as names from './machine-semconv.ts';

/** Takes one figure of a sample; one that is absent is passed over. */
export type Observe = (
  definition: MetricDefinition,
  value: number | undefined,
  attributes?: Attributes,
) => void;

function observeMemory(memory: NonNullable<HostSample['memory']>, observe: Observe): void {
  observe(names.METRIC_MEMORY_LIMIT, memory.limit);
  for (const [state, bytes] of [
    ['used', memory.used],
    ['free', memory.available],
  ] as const) {
    observe(names.METRIC_MEMORY_USAGE, bytes, { [names.ATTR_MEMORY_STATE]: state });
    const share = memory.limit > 0 ? bytes / memory.limit : undefined;
    observe(names.METRIC_MEMORY_UTILIZATION, share, { [names.ATTR_MEMORY_STATE]: state });
  }
  for (const state of ['used', 'free'] as const) {
    observe(names.METRIC_PAGING_USAGE, memory.swap?.[state], { [names.ATTR_PAGING_STATE]: state });
  }
}

function observeFilesystem(filesystem: NonNullable<HostSample['filesystem']>, observe: Observe): void {
  const where = { [names.ATTR_FILESYSTEM_MOUNTPOINT]: filesystem.path };
  observe(names.METRIC_FILESYSTEM_LIMIT, filesystem.limit, where);
  observe(names.METRIC_FILESYSTEM_UTILIZATION, filesystem.utilization, where);
  for (const state of ['used', 'free', 'reserved'] as const) {
    const attributes = { ...where, [names.ATTR_FILESYSTEM_STATE]: state };
    observe(names.METRIC_FILESYSTEM_USAGE, filesystem[state], attributes);
    if (state !== 'reserved') {
      observe(names.METRIC_FILESYSTEM_INODES, filesystem.inodes?.[state], attributes);
    }
  }
}

function observePressure(
  scope: 'host' | 'container',
  pressure: PressureSample | undefined,
  observe: Observe,
): void {
  for (const resource of PRESSURE_RESOURCES) {
    for (const stall of ['some', 'full'] as const) {
      const line = pressure?.[resource]?.[stall];
      const attributes = {
        [names.ATTR_PRESSURE_SCOPE]: scope,
        [names.ATTR_PRESSURE_RESOURCE]: resource,
        [names.ATTR_PRESSURE_STALL]: stall,
      };
      observe(names.METRIC_PRESSURE, line?.share, attributes);
      observe(names.METRIC_PRESSURE_TIME, line?.seconds, attributes);
    }
  }
}

function observeContainer(container: ContainerSample, observe: Observe): void {
  const { cpu, cpuUsage, memory } = container;
  for (const mode of ['user', 'system'] as const) {
    observe(names.METRIC_CONTAINER_CPU_TIME, cpu?.time?.[mode], { [names.ATTR_CPU_MODE]: mode });
  }
  observe(names.METRIC_CONTAINER_CPU_USAGE, cpuUsage);
  observe(names.METRIC_CONTAINER_CPU_LIMIT, cpu?.limit);
  observe(names.METRIC_CONTAINER_CPU_PERIODS, cpu?.throttling?.periods);
  observe(names.METRIC_CONTAINER_CPU_THROTTLED_PERIODS, cpu?.throttling?.throttledPeriods);
  observe(names.METRIC_CONTAINER_CPU_THROTTLED_TIME, cpu?.throttling?.throttledSeconds);
  observe(names.METRIC_CONTAINER_MEMORY_USAGE, memory?.usage);
  observe(names.METRIC_CONTAINER_MEMORY_WORKING_SET, memory?.workingSet);
  observe(names.METRIC_CONTAINER_MEMORY_LIMIT, memory?.limit);
  if (memory?.limit !== undefined) {
    observe(names.METRIC_CONTAINER_MEMORY_AVAILABLE, Math.max(0, memory.limit - memory.workingSet));
  }
  observePressure('container', container.pressure, observe);
}

/** Hands on what a sample tells of machine and container. */
export function observeMachine(sample: HostSample, observe: Observe): void {
  const { cpu, load, memory, filesystem, container } = sample;
  if (cpu) {
    observe(names.METRIC_CPU_COUNT, cpu.logical);
    for (const mode of CPU_MODES) {
      observe(names.METRIC_CPU_TIME, cpu.time[mode], { [names.ATTR_CPU_MODE]: mode });
      observe(names.METRIC_CPU_UTILIZATION, cpu.utilization?.[mode], { [names.ATTR_CPU_MODE]: mode });
    }
  }
  for (const [index, definition] of names.METRIC_LOAD_AVERAGES.entries()) observe(definition, load?.[index]);
  if (memory) observeMemory(memory, observe);
  observePressure('host', sample.pressure, observe);
  if (container) observeContainer(container, observe);
  if (filesystem) observeFilesystem(filesystem, observe);
}
