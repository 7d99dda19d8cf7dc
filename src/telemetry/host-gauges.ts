import type { Attributes, BatchObservableCallback, Meter, Observable } from '@opentelemetry/api';

import { CPU_MODES } from '../host/index.ts';
import type { HostSample } from '../host/index.ts';
import type { MetricDefinition } from '../signals/semconv.ts';
import * as names from './semconv.ts';

type Observe = (definition: MetricDefinition, value: number | undefined, attributes?: Attributes) => void;

function observeMachine(sample: HostSample, observe: Observe): void {
  const { cpu, memory, filesystem } = sample;
  if (cpu) {
    observe(names.METRIC_CPU_COUNT, cpu.logical);
    for (const mode of CPU_MODES) {
      observe(names.METRIC_CPU_TIME, cpu.time[mode], { [names.ATTR_CPU_MODE]: mode });
      observe(names.METRIC_CPU_UTILIZATION, cpu.utilization?.[mode], { [names.ATTR_CPU_MODE]: mode });
    }
  }
  if (memory) {
    observe(names.METRIC_MEMORY_LIMIT, memory.limit);
    for (const [state, bytes] of [
      ['used', memory.used],
      ['free', memory.available],
    ] as const) {
      observe(names.METRIC_MEMORY_USAGE, bytes, { [names.ATTR_MEMORY_STATE]: state });
      const share = memory.limit > 0 ? bytes / memory.limit : undefined;
      observe(names.METRIC_MEMORY_UTILIZATION, share, { [names.ATTR_MEMORY_STATE]: state });
    }
  }
  if (filesystem) {
    const where = { [names.ATTR_FILESYSTEM_MOUNTPOINT]: filesystem.path };
    observe(names.METRIC_FILESYSTEM_LIMIT, filesystem.limit, where);
    observe(names.METRIC_FILESYSTEM_UTILIZATION, filesystem.utilization, where);
    for (const state of ['used', 'free', 'reserved'] as const) {
      observe(names.METRIC_FILESYSTEM_USAGE, filesystem[state], {
        ...where,
        [names.ATTR_FILESYSTEM_STATE]: state,
      });
    }
  }
}

function observeProcess(sample: HostSample, observe: Observe): void {
  const { process, eventLoop } = sample;
  if (process) {
    for (const [mode, seconds, share] of [
      ['user', process.cpuUser, process.cpuUtilization?.user],
      ['system', process.cpuSystem, process.cpuUtilization?.system],
    ] as const) {
      observe(names.METRIC_PROCESS_CPU_TIME, seconds, { [names.ATTR_CPU_MODE]: mode });
      observe(names.METRIC_PROCESS_CPU_UTILIZATION, share, { [names.ATTR_CPU_MODE]: mode });
    }
    observe(names.METRIC_PROCESS_MEMORY_USAGE, process.memory);
    observe(names.METRIC_PROCESS_UPTIME, process.uptime);
    observe(names.METRIC_PROCESS_OPEN_FILES, process.openFiles);
  }
  if (eventLoop) {
    for (const key of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'] as const) {
      observe(names.METRIC_EVENTLOOP_DELAYS[key], eventLoop.delay?.[key]);
    }
    observe(names.METRIC_EVENTLOOP_UTILIZATION, eventLoop.utilization);
    for (const state of ['active', 'idle'] as const) {
      observe(names.METRIC_EVENTLOOP_TIME, eventLoop[state], { [names.ATTR_EVENTLOOP_STATE]: state });
    }
  }
}

/** Makes the observable instrument that a definition describes. */
export function observableFor(meter: Meter, definition: MetricDefinition): Observable {
  const options = { unit: definition.unit, description: definition.description };
  switch (definition.instrument) {
    case 'counter':
      return meter.createObservableCounter(definition.name, options);
    case 'updowncounter':
      return meter.createObservableUpDownCounter(definition.name, options);
    case 'gauge':
      return meter.createObservableGauge(definition.name, options);
    case 'histogram':
      throw new TypeError(`${definition.name} is a histogram: it cannot be observed.`);
  }
}

/**
 * Publishes the sampler's last sample. However often and by whom it is read, the figures are those of the sample.
 * @param meter takes the instruments
 * @param latest gives the last sample; `undefined` before the first
 * @returns a function that takes the callback away again
 */
export function registerHostGauges(meter: Meter, latest: () => HostSample | undefined): () => void {
  const instruments = new Map(
    names.HOST_METRICS.map((definition) => [definition, observableFor(meter, definition)]),
  );
  const callback: BatchObservableCallback = (result) => {
    const sample = latest();
    if (!sample) return;
    const observe: Observe = (definition, value, attributes) => {
      const instrument = instruments.get(definition);
      if (instrument && value !== undefined && Number.isFinite(value)) {
        result.observe(instrument, value, attributes ?? {});
      }
    };
    observeMachine(sample, observe);
    observeProcess(sample, observe);
  };
  const all = [...instruments.values()];
  meter.addBatchObservableCallback(callback, all);
  return () => meter.removeBatchObservableCallback(callback, all);
}
