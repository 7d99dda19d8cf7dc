import type { Meter, Observable } from '@opentelemetry/api';
import type { MetricDefinition } from './semconv.ts';

/**
 * Creates the observable instrument that a definition describes. Its callback reads a plain number when somebody collects.
 * @throws {TypeError} for a histogram, which cannot be observed
 */
export function createObservable(meter: Meter, definition: MetricDefinition): Observable {
  const { name, instrument, unit, description } = definition;
  const options = { unit, description };
  switch (instrument) {
    case 'counter':
      return meter.createObservableCounter(name, options);
    case 'updowncounter':
      return meter.createObservableUpDownCounter(name, options);
    case 'gauge':
      return meter.createObservableGauge(name, options);
    case 'histogram':
      throw new TypeError(`${name} is a histogram: it cannot be observed.`);
  }
}
