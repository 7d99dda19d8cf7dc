import type { Meter } from '@opentelemetry/api';
import { observeGc } from '../../host/index.ts';
import type { HeapSample, HostSample, ProcessSample } from '../../host/index.ts';
import type { Observe } from './machine-gauges.ts';
import { ATTR_CPU_MODE } from './machine-semconv.ts';
import * as names from './process-semconv.ts';

function observeOwn(process: ProcessSample, observe: Observe): void {
  for (const [mode, seconds, share] of [
    ['user', process.cpuUser, process.cpuUtilization?.user],
    ['system', process.cpuSystem, process.cpuUtilization?.system],
  ] as const) {
    observe(names.METRIC_PROCESS_CPU_TIME, seconds, { [ATTR_CPU_MODE]: mode });
    observe(names.METRIC_PROCESS_CPU_UTILIZATION, share, { [ATTR_CPU_MODE]: mode });
  }
  observe(names.METRIC_PROCESS_MEMORY_USAGE, process.memory);
  observe(names.METRIC_PROCESS_UPTIME, process.uptime);
  observe(names.METRIC_PROCESS_OPEN_FILES, process.openFiles);
  observe(names.METRIC_PROCESS_OPEN_FILE_LIMIT, process.openFileLimit);
  observe(names.METRIC_PROCESS_THREADS, process.threads);
  for (const type of ['voluntary', 'involuntary'] as const) {
    const attributes = { [names.ATTR_CONTEXT_SWITCH_TYPE]: type };
    observe(names.METRIC_PROCESS_CONTEXT_SWITCHES, process.contextSwitches?.[type], attributes);
  }
  for (const type of ['major', 'minor'] as const) {
    const attributes = { [names.ATTR_PAGING_FAULT_TYPE]: type };
    observe(names.METRIC_PROCESS_PAGING_FAULTS, process.pageFaults?.[type], attributes);
  }
}

function observeHeap(heap: HeapSample, observe: Observe): void {
  observe(names.METRIC_HEAP_LIMIT, heap.limit);
  for (const space of heap.spaces) {
    const attributes = { [names.ATTR_HEAP_SPACE]: space.name };
    observe(names.METRIC_HEAP_USED, space.used, attributes);
    observe(names.METRIC_HEAP_SPACE_SIZE, space.size, attributes);
    observe(names.METRIC_HEAP_SPACE_AVAILABLE, space.available, attributes);
    observe(names.METRIC_HEAP_SPACE_PHYSICAL, space.physical, attributes);
  }
}

/** Hands on what a sample tells of this process, the event loop and the heap. */
export function observeProcess(sample: HostSample, observe: Observe): void {
  const { process, eventLoop, heap } = sample;
  if (process) observeOwn(process, observe);
  if (eventLoop) {
    for (const key of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'] as const) {
      observe(names.METRIC_EVENTLOOP_DELAYS[key], eventLoop.delay?.[key]);
    }
    observe(names.METRIC_EVENTLOOP_UTILIZATION, eventLoop.utilization);
    for (const state of ['active', 'idle'] as const) {
      observe(names.METRIC_EVENTLOOP_TIME, eventLoop[state], { [names.ATTR_EVENTLOOP_STATE]: state });
    }
  }
  if (heap) observeHeap(heap, observe);
}

/**
 * Records every garbage collection. The histogram holds a fixed number of buckets, so that a reader that never comes costs nothing.
 * @param meter takes the instrument
 * @returns a function that ends it
 */
export function recordGc(meter: Meter): () => void {
  const { name, unit, description } = names.METRIC_GC_DURATION;
  const histogram = meter.createHistogram(name, {
    unit,
    description,
    advice: { explicitBucketBoundaries: [...names.GC_DURATION_BOUNDS] },
  });
  return observeGc((type, seconds) => histogram.record(seconds, { [names.ATTR_GC_TYPE]: type }));
}
