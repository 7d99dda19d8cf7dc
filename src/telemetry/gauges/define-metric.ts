import type { MetricDefinition } from '../../signals/semconv.ts';

/** Describes a metric in one call. */
export const defineMetric = (
  name: string,
  instrument: MetricDefinition['instrument'],
  unit: string,
  description: string,
  attributes: readonly string[] = [],
): MetricDefinition => ({ name, instrument, unit, description, attributes });
