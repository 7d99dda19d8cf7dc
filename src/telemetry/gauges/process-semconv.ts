import type { MetricDefinition } from '../../signals/semconv.ts';
import { defineMetric } from './define-metric.ts';
import { ATTR_CPU_MODE } from './machine-semconv.ts';

/**
 * Names of the metrics of this process, of Node and of V8, as OpenTelemetry's semantic conventions 1.45.0 have them (in development there;
 * copied, so that an upgrade is a reviewed change).
 */

export const ATTR_CONTEXT_SWITCH_TYPE = 'process.context_switch.type';
export const ATTR_PAGING_FAULT_TYPE = 'system.paging.fault.type';
export const ATTR_EVENTLOOP_STATE = 'nodejs.eventloop.state';
export const ATTR_GC_TYPE = 'v8js.gc.type';
export const ATTR_HEAP_SPACE = 'v8js.heap.space.name';

export const METRIC_PROCESS_CPU_TIME: MetricDefinition = defineMetric(
  'process.cpu.time',
  'counter',
  's',
  'Seconds of processor time of this process by mode.',
  [ATTR_CPU_MODE],
);
export const METRIC_PROCESS_CPU_UTILIZATION: MetricDefinition = defineMetric(
  'process.cpu.utilization',
  'gauge',
  '1',
  'Share of the processors that this process may use, since the sample before, by mode.',
  [ATTR_CPU_MODE],
);
export const METRIC_PROCESS_MEMORY_USAGE: MetricDefinition = defineMetric(
  'process.memory.usage',
  'updowncounter',
  'By',
  'Resident memory of this process.',
);
export const METRIC_PROCESS_UPTIME: MetricDefinition = defineMetric(
  'process.uptime',
  'gauge',
  's',
  'Seconds since this process started.',
);
export const METRIC_PROCESS_OPEN_FILES: MetricDefinition = defineMetric(
  'process.unix.file_descriptor.count',
  'updowncounter',
  '{file_descriptor}',
  'File descriptors that this process holds open.',
);
/** The conventions name a limit for the JVM only (`jvm.file_descriptor.limit`). */
export const METRIC_PROCESS_OPEN_FILE_LIMIT: MetricDefinition = defineMetric(
  'keelson.host.file_descriptor.limit',
  'gauge',
  '{file_descriptor}',
  'File descriptors that this process may hold open.',
);
export const METRIC_PROCESS_THREADS: MetricDefinition = defineMetric(
  'process.thread.count',
  'updowncounter',
  '{thread}',
  'Threads of this process.',
);
export const METRIC_PROCESS_CONTEXT_SWITCHES: MetricDefinition = defineMetric(
  'process.context_switches',
  'counter',
  '{context_switch}',
  'How often this process gave up a processor (voluntary) or lost it (involuntary).',
  [ATTR_CONTEXT_SWITCH_TYPE],
);
export const METRIC_PROCESS_PAGING_FAULTS: MetricDefinition = defineMetric(
  'process.paging.faults',
  'counter',
  '{fault}',
  'Page faults of this process that the disk (major) or the memory (minor) served.',
  [ATTR_PAGING_FAULT_TYPE],
);
export const METRIC_EVENTLOOP_DELAYS: Readonly<
  Record<'min' | 'max' | 'mean' | 'stddev' | 'p50' | 'p90' | 'p99', MetricDefinition>
> = {
  min: defineMetric(
    'nodejs.eventloop.delay.min',
    'gauge',
    's',
    'Least event loop delay since the sample before.',
  ),
  max: defineMetric(
    'nodejs.eventloop.delay.max',
    'gauge',
    's',
    'Greatest event loop delay since the sample before.',
  ),
  mean: defineMetric(
    'nodejs.eventloop.delay.mean',
    'gauge',
    's',
    'Mean event loop delay since the sample before.',
  ),
  stddev: defineMetric(
    'nodejs.eventloop.delay.stddev',
    'gauge',
    's',
    'Standard deviation of the event loop delay since the sample before.',
  ),
  p50: defineMetric(
    'nodejs.eventloop.delay.p50',
    'gauge',
    's',
    'Event loop delay, median since the sample before.',
  ),
  p90: defineMetric(
    'nodejs.eventloop.delay.p90',
    'gauge',
    's',
    'Event loop delay, 90th percentile since the sample before.',
  ),
  p99: defineMetric(
    'nodejs.eventloop.delay.p99',
    'gauge',
    's',
    'Event loop delay, 99th percentile since the sample before.',
  ),
};
export const METRIC_EVENTLOOP_UTILIZATION: MetricDefinition = defineMetric(
  'nodejs.eventloop.utilization',
  'gauge',
  '1',
  'Share of the time since the sample before in which the event loop was busy.',
);
export const METRIC_EVENTLOOP_TIME: MetricDefinition = defineMetric(
  'nodejs.eventloop.time',
  'counter',
  's',
  'Seconds that the event loop was active or idle.',
  [ATTR_EVENTLOOP_STATE],
);

export const METRIC_GC_DURATION: MetricDefinition = defineMetric(
  'v8js.gc.duration',
  'histogram',
  's',
  'Duration of garbage collections by type.',
  [ATTR_GC_TYPE],
);
/** In seconds: the bounds that the conventions ask for (0.01, 0.1, 1, 10), with finer steps below and between. */
export const GC_DURATION_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 10,
];

export const METRIC_HEAP_USED: MetricDefinition = defineMetric(
  'v8js.memory.heap.used',
  'updowncounter',
  'By',
  'What is used of a heap space.',
  [ATTR_HEAP_SPACE],
);
export const METRIC_HEAP_SPACE_SIZE: MetricDefinition = defineMetric(
  'v8js.memory.heap.space.size',
  'updowncounter',
  'By',
  'Size of a heap space.',
  [ATTR_HEAP_SPACE],
);
export const METRIC_HEAP_SPACE_AVAILABLE: MetricDefinition = defineMetric(
  'v8js.memory.heap.space.available_size',
  'updowncounter',
  'By',
  'What is free in a heap space.',
  [ATTR_HEAP_SPACE],
);
export const METRIC_HEAP_SPACE_PHYSICAL: MetricDefinition = defineMetric(
  'v8js.memory.heap.space.physical_size',
  'updowncounter',
  'By',
  'What a heap space takes of the memory.',
  [ATTR_HEAP_SPACE],
);
/** The conventions have no limit for the whole heap. */
export const METRIC_HEAP_LIMIT: MetricDefinition = defineMetric(
  'keelson.host.heap.limit',
  'gauge',
  'By',
  'What the heap may grow to before V8 ends the process.',
);

/** Every metric of process, Node and V8, in the order of the table in metrics.md. */
export const PROCESS_METRICS: readonly MetricDefinition[] = [
  METRIC_PROCESS_CPU_TIME,
  METRIC_PROCESS_CPU_UTILIZATION,
  METRIC_PROCESS_MEMORY_USAGE,
  METRIC_PROCESS_UPTIME,
  METRIC_PROCESS_OPEN_FILES,
  METRIC_PROCESS_OPEN_FILE_LIMIT,
  METRIC_PROCESS_THREADS,
  METRIC_PROCESS_CONTEXT_SWITCHES,
  METRIC_PROCESS_PAGING_FAULTS,
  ...Object.values(METRIC_EVENTLOOP_DELAYS),
  METRIC_EVENTLOOP_UTILIZATION,
  METRIC_EVENTLOOP_TIME,
  METRIC_GC_DURATION,
  METRIC_HEAP_USED,
  METRIC_HEAP_SPACE_SIZE,
  METRIC_HEAP_SPACE_AVAILABLE,
  METRIC_HEAP_SPACE_PHYSICAL,
  METRIC_HEAP_LIMIT,
];
