import type { MetricDefinition } from '../../signals/semconv.ts';
import { defineMetric } from './define-metric.ts';

/**
 * Names of the metrics of machine and container. Those of `system.*` and `container.*` are OpenTelemetry's semantic conventions 1.45.0 (in
 * development there; copied, so that an upgrade is a reviewed change). What they lack is named as the Collector's receivers name it
 * (`hostmetrics`, `docker_stats`), and what these lack too has the prefix `keelson.host.`.
 */

export const ATTR_CPU_MODE = 'cpu.mode';
export const ATTR_MEMORY_STATE = 'system.memory.state';
export const ATTR_PAGING_STATE = 'system.paging.state';
export const ATTR_FILESYSTEM_STATE = 'system.filesystem.state';
export const ATTR_FILESYSTEM_MOUNTPOINT = 'system.filesystem.mountpoint';
/** Whose pressure: `host` or `container`. */
export const ATTR_PRESSURE_SCOPE = 'keelson.pressure.scope';
/** `cpu`, `memory` or `io`. */
export const ATTR_PRESSURE_RESOURCE = 'keelson.pressure.resource';
/** Who waited: `some` tasks, or all of them (`full`). */
export const ATTR_PRESSURE_STALL = 'keelson.pressure.stall';

export const METRIC_CPU_TIME: MetricDefinition = defineMetric(
  'system.cpu.time',
  'counter',
  's',
  'Seconds of processor time, all processors together, by mode.',
  [ATTR_CPU_MODE],
);
export const METRIC_CPU_UTILIZATION: MetricDefinition = defineMetric(
  'system.cpu.utilization',
  'gauge',
  '1',
  'Share of the processors by mode since the sample before.',
  [ATTR_CPU_MODE],
);
export const METRIC_CPU_COUNT: MetricDefinition = defineMetric(
  'system.cpu.logical.count',
  'updowncounter',
  '{cpu}',
  'Logical processors of the machine.',
);
/** Of the Collector's `hostmetrics`. */
export const METRIC_LOAD_AVERAGES: readonly [MetricDefinition, MetricDefinition, MetricDefinition] = [
  defineMetric(
    'system.cpu.load_average.1m',
    'gauge',
    '{thread}',
    'Threads that ran or waited to run, over 1 minute.',
  ),
  defineMetric(
    'system.cpu.load_average.5m',
    'gauge',
    '{thread}',
    'Threads that ran or waited to run, over 5 minutes.',
  ),
  defineMetric(
    'system.cpu.load_average.15m',
    'gauge',
    '{thread}',
    'Threads that ran or waited to run, over 15 minutes.',
  ),
];
export const METRIC_MEMORY_USAGE: MetricDefinition = defineMetric(
  'system.memory.usage',
  'updowncounter',
  'By',
  'Memory of the machine by state.',
  [ATTR_MEMORY_STATE],
);
export const METRIC_MEMORY_LIMIT: MetricDefinition = defineMetric(
  'system.memory.limit',
  'updowncounter',
  'By',
  'Memory that the machine has.',
);
export const METRIC_MEMORY_UTILIZATION: MetricDefinition = defineMetric(
  'system.memory.utilization',
  'gauge',
  '1',
  'Share of the memory of the machine by state.',
  [ATTR_MEMORY_STATE],
);
export const METRIC_PAGING_USAGE: MetricDefinition = defineMetric(
  'system.paging.usage',
  'updowncounter',
  'By',
  'Space for swapping by state.',
  [ATTR_PAGING_STATE],
);
export const METRIC_FILESYSTEM_USAGE: MetricDefinition = defineMetric(
  'system.filesystem.usage',
  'updowncounter',
  'By',
  'Space of the file system that holds the home, by state.',
  [ATTR_FILESYSTEM_MOUNTPOINT, ATTR_FILESYSTEM_STATE],
);
export const METRIC_FILESYSTEM_LIMIT: MetricDefinition = defineMetric(
  'system.filesystem.limit',
  'updowncounter',
  'By',
  'Size of the file system that holds the home.',
  [ATTR_FILESYSTEM_MOUNTPOINT],
);
export const METRIC_FILESYSTEM_UTILIZATION: MetricDefinition = defineMetric(
  'system.filesystem.utilization',
  'gauge',
  '1',
  'Share of the file system that is used, as df counts.',
  [ATTR_FILESYSTEM_MOUNTPOINT],
);
/** Of the Collector's `hostmetrics`. */
export const METRIC_FILESYSTEM_INODES: MetricDefinition = defineMetric(
  'system.filesystem.inodes.usage',
  'updowncounter',
  '{inode}',
  'Inodes of the file system that holds the home, by state.',
  [ATTR_FILESYSTEM_MOUNTPOINT, ATTR_FILESYSTEM_STATE],
);

export const METRIC_CONTAINER_CPU_TIME: MetricDefinition = defineMetric(
  'container.cpu.time',
  'counter',
  's',
  'Seconds of processor time of the container by mode.',
  [ATTR_CPU_MODE],
);
export const METRIC_CONTAINER_CPU_USAGE: MetricDefinition = defineMetric(
  'container.cpu.usage',
  'gauge',
  '{cpu}',
  'Processors that the container used on average since the sample before.',
);
/** Of the Collector's `docker_stats`. */
export const METRIC_CONTAINER_CPU_LIMIT: MetricDefinition = defineMetric(
  'container.cpu.limit',
  'gauge',
  '{cpu}',
  'Processors that the container may use; absent without a quota.',
);
/** Of the Collector's `docker_stats`, as are the next two; time is in seconds here, as the conventions want it. */
export const METRIC_CONTAINER_CPU_PERIODS: MetricDefinition = defineMetric(
  'container.cpu.throttling_data.periods',
  'counter',
  '{period}',
  'Periods in which the container had something to run and a quota to keep.',
);
export const METRIC_CONTAINER_CPU_THROTTLED_PERIODS: MetricDefinition = defineMetric(
  'container.cpu.throttling_data.throttled_periods',
  'counter',
  '{period}',
  'Periods in which the container had to wait because its quota was used up.',
);
export const METRIC_CONTAINER_CPU_THROTTLED_TIME: MetricDefinition = defineMetric(
  'container.cpu.throttling_data.throttled_time',
  'counter',
  's',
  'Seconds that the container had to wait because its quota was used up.',
);
export const METRIC_CONTAINER_MEMORY_USAGE: MetricDefinition = defineMetric(
  'container.memory.usage',
  'updowncounter',
  'By',
  'Memory of the container, all of it.',
);
export const METRIC_CONTAINER_MEMORY_WORKING_SET: MetricDefinition = defineMetric(
  'container.memory.working_set',
  'updowncounter',
  'By',
  'Memory of the container without what the kernel can drop at once.',
);
export const METRIC_CONTAINER_MEMORY_AVAILABLE: MetricDefinition = defineMetric(
  'container.memory.available',
  'updowncounter',
  'By',
  'The limit less the working set; absent without a limit.',
);
/** Of the Collector's `docker_stats`. */
export const METRIC_CONTAINER_MEMORY_LIMIT: MetricDefinition = defineMetric(
  'container.memory.usage.limit',
  'updowncounter',
  'By',
  'Memory that the container may use; absent without a limit.',
);

/** The conventions have nothing for pressure yet: open-telemetry/semantic-conventions#2995. */
export const METRIC_PRESSURE: MetricDefinition = defineMetric(
  'keelson.host.pressure',
  'gauge',
  '1',
  'Share of the last ten seconds in which tasks waited for a resource.',
  [ATTR_PRESSURE_SCOPE, ATTR_PRESSURE_RESOURCE, ATTR_PRESSURE_STALL],
);
export const METRIC_PRESSURE_TIME: MetricDefinition = defineMetric(
  'keelson.host.pressure.time',
  'counter',
  's',
  'Seconds in which tasks waited for a resource.',
  [ATTR_PRESSURE_SCOPE, ATTR_PRESSURE_RESOURCE, ATTR_PRESSURE_STALL],
);

/** Every metric of machine and container, in the order of the table in metrics.md. */
export const MACHINE_METRICS: readonly MetricDefinition[] = [
  METRIC_CPU_TIME,
  METRIC_CPU_UTILIZATION,
  METRIC_CPU_COUNT,
  ...METRIC_LOAD_AVERAGES,
  METRIC_MEMORY_USAGE,
  METRIC_MEMORY_LIMIT,
  METRIC_MEMORY_UTILIZATION,
  METRIC_PAGING_USAGE,
  METRIC_FILESYSTEM_USAGE,
  METRIC_FILESYSTEM_LIMIT,
  METRIC_FILESYSTEM_UTILIZATION,
  METRIC_FILESYSTEM_INODES,
  METRIC_CONTAINER_CPU_TIME,
  METRIC_CONTAINER_CPU_USAGE,
  METRIC_CONTAINER_CPU_LIMIT,
  METRIC_CONTAINER_CPU_PERIODS,
  METRIC_CONTAINER_CPU_THROTTLED_PERIODS,
  METRIC_CONTAINER_CPU_THROTTLED_TIME,
  METRIC_CONTAINER_MEMORY_USAGE,
  METRIC_CONTAINER_MEMORY_WORKING_SET,
  METRIC_CONTAINER_MEMORY_AVAILABLE,
  METRIC_CONTAINER_MEMORY_LIMIT,
  METRIC_PRESSURE,
  METRIC_PRESSURE_TIME,
];
