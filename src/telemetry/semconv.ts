import type { MetricDefinition } from '../signals/semconv.ts';

/**
 * Names of the host, process and runtime metrics, as OpenTelemetry's semantic conventions 1.45.0 have them (system, process and nodejs
 * are in development there; the constants are copied so that an upgrade is a reviewed change).
 */

export const ATTR_CPU_MODE = 'cpu.mode';
export const ATTR_MEMORY_STATE = 'system.memory.state';
export const ATTR_FILESYSTEM_STATE = 'system.filesystem.state';
export const ATTR_FILESYSTEM_MOUNTPOINT = 'system.filesystem.mountpoint';
export const ATTR_EVENTLOOP_STATE = 'nodejs.eventloop.state';

/** The instrumentation scope of the host gauges. */
export const HOST_SCOPE_NAME = 'keelson.host';

/** The instrumentation scope of what the logger writes. */
export const LOG_SCOPE_NAME = 'keelson.logger';

const metric = (
  name: string,
  instrument: MetricDefinition['instrument'],
  unit: string,
  description: string,
  attributes: readonly string[] = [],
): MetricDefinition => ({ name, instrument, unit, description, attributes });

export const METRIC_CPU_TIME: MetricDefinition = metric(
  'system.cpu.time',
  'counter',
  's',
  'Seconds of processor time, all processors together, by mode.',
  [ATTR_CPU_MODE],
);
export const METRIC_CPU_UTILIZATION: MetricDefinition = metric(
  'system.cpu.utilization',
  'gauge',
  '1',
  'Share of the processors by mode since the sample before.',
  [ATTR_CPU_MODE],
);
export const METRIC_CPU_COUNT: MetricDefinition = metric(
  'system.cpu.logical.count',
  'updowncounter',
  '{cpu}',
  'Logical processors of the machine.',
);
export const METRIC_MEMORY_USAGE: MetricDefinition = metric(
  'system.memory.usage',
  'updowncounter',
  'By',
  'Memory of the container where it has a limit, else of the machine, by state.',
  [ATTR_MEMORY_STATE],
);
export const METRIC_MEMORY_LIMIT: MetricDefinition = metric(
  'system.memory.limit',
  'updowncounter',
  'By',
  'Memory that the container or the machine has.',
);
export const METRIC_MEMORY_UTILIZATION: MetricDefinition = metric(
  'system.memory.utilization',
  'gauge',
  '1',
  'Share of the memory by state.',
  [ATTR_MEMORY_STATE],
);
export const METRIC_FILESYSTEM_USAGE: MetricDefinition = metric(
  'system.filesystem.usage',
  'updowncounter',
  'By',
  'Space of the file system that holds the home, by state.',
  [ATTR_FILESYSTEM_MOUNTPOINT, ATTR_FILESYSTEM_STATE],
);
export const METRIC_FILESYSTEM_LIMIT: MetricDefinition = metric(
  'system.filesystem.limit',
  'updowncounter',
  'By',
  'Size of the file system that holds the home.',
  [ATTR_FILESYSTEM_MOUNTPOINT],
);
export const METRIC_FILESYSTEM_UTILIZATION: MetricDefinition = metric(
  'system.filesystem.utilization',
  'gauge',
  '1',
  'Share of the file system that is used, as df counts.',
  [ATTR_FILESYSTEM_MOUNTPOINT],
);
export const METRIC_PROCESS_CPU_TIME: MetricDefinition = metric(
  'process.cpu.time',
  'counter',
  's',
  'Seconds of processor time of this process by mode.',
  [ATTR_CPU_MODE],
);
export const METRIC_PROCESS_CPU_UTILIZATION: MetricDefinition = metric(
  'process.cpu.utilization',
  'gauge',
  '1',
  'Share of the processors that this process may use, since the sample before, by mode.',
  [ATTR_CPU_MODE],
);
export const METRIC_PROCESS_MEMORY_USAGE: MetricDefinition = metric(
  'process.memory.usage',
  'updowncounter',
  'By',
  'Resident memory of this process.',
);
export const METRIC_PROCESS_UPTIME: MetricDefinition = metric(
  'process.uptime',
  'gauge',
  's',
  'Seconds since this process started.',
);
export const METRIC_PROCESS_OPEN_FILES: MetricDefinition = metric(
  'process.unix.file_descriptor.count',
  'updowncounter',
  '{file_descriptor}',
  'File descriptors that this process holds open.',
);
export const METRIC_EVENTLOOP_DELAYS: Readonly<
  Record<'min' | 'max' | 'mean' | 'stddev' | 'p50' | 'p90' | 'p99', MetricDefinition>
> = {
  min: metric('nodejs.eventloop.delay.min', 'gauge', 's', 'Least event loop delay since the sample before.'),
  max: metric(
    'nodejs.eventloop.delay.max',
    'gauge',
    's',
    'Greatest event loop delay since the sample before.',
  ),
  mean: metric('nodejs.eventloop.delay.mean', 'gauge', 's', 'Mean event loop delay since the sample before.'),
  stddev: metric(
    'nodejs.eventloop.delay.stddev',
    'gauge',
    's',
    'Standard deviation of the event loop delay since the sample before.',
  ),
  p50: metric(
    'nodejs.eventloop.delay.p50',
    'gauge',
    's',
    'Event loop delay, median since the sample before.',
  ),
  p90: metric(
    'nodejs.eventloop.delay.p90',
    'gauge',
    's',
    'Event loop delay, 90th percentile since the sample before.',
  ),
  p99: metric(
    'nodejs.eventloop.delay.p99',
    'gauge',
    's',
    'Event loop delay, 99th percentile since the sample before.',
  ),
};
export const METRIC_EVENTLOOP_UTILIZATION: MetricDefinition = metric(
  'nodejs.eventloop.utilization',
  'gauge',
  '1',
  'Share of the time since the sample before in which the event loop was busy.',
);
export const METRIC_EVENTLOOP_TIME: MetricDefinition = metric(
  'nodejs.eventloop.time',
  'counter',
  's',
  'Seconds that the event loop was active or idle.',
  [ATTR_EVENTLOOP_STATE],
);

/** Every metric of the host, in the order of the README's table. */
export const HOST_METRICS: readonly MetricDefinition[] = [
  METRIC_CPU_TIME,
  METRIC_CPU_UTILIZATION,
  METRIC_CPU_COUNT,
  METRIC_MEMORY_USAGE,
  METRIC_MEMORY_LIMIT,
  METRIC_MEMORY_UTILIZATION,
  METRIC_FILESYSTEM_USAGE,
  METRIC_FILESYSTEM_LIMIT,
  METRIC_FILESYSTEM_UTILIZATION,
  METRIC_PROCESS_CPU_TIME,
  METRIC_PROCESS_CPU_UTILIZATION,
  METRIC_PROCESS_MEMORY_USAGE,
  METRIC_PROCESS_UPTIME,
  METRIC_PROCESS_OPEN_FILES,
  ...Object.values(METRIC_EVENTLOOP_DELAYS),
  METRIC_EVENTLOOP_UTILIZATION,
  METRIC_EVENTLOOP_TIME,
];
