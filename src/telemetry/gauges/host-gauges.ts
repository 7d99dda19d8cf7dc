import type { BatchObservableCallback, Meter } from '@opentelemetry/api';
import { HostSampler } from '../../host/index.ts';
import type { HostSample, HostSamplerOptions } from '../../host/index.ts';
import { createObservable } from '../../signals/index.ts';
import { HOST_METRICS } from './host-metrics.ts';
import { observeMachine } from './machine-gauges.ts';
import type { Observe } from './machine-gauges.ts';
import { observeProcess, recordGc } from './process-gauges.ts';

/**
 * Publishes the last sample of the sampler. All readers see the figures of one sample, however often they read.
 * @param meter creates the instruments
 * @param latest returns the last sample; `undefined` before the first
 * @returns a function that removes the callback
 */
export function registerHostGauges(meter: Meter, latest: () => HostSample | undefined): () => void {
  const instruments = new Map(
    HOST_METRICS.filter(({ instrument }) => instrument !== 'histogram').map((definition) => [
      definition,
      createObservable(meter, definition),
    ]),
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

/**
 * Samples machine, container and process from now on, and publishes the samples.
 * @param meter creates the instruments
 * @returns a function that ends the sampling; the last sample stays readable
 */
export function startHostMetrics(meter: Meter, options: HostSamplerOptions): () => void {
  const sampler = new HostSampler(options);
  registerHostGauges(meter, () => sampler.latest);
  const endGc = recordGc(meter);
  sampler.start();
  return () => {
    sampler.stop();
    endGc();
  };
}
