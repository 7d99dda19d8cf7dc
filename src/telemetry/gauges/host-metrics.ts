import type { MetricDefinition } from '../../signals/semconv.ts';
import { MACHINE_METRICS } from './machine-semconv.ts';
import { PROCESS_METRICS } from './process-semconv.ts';

/** Every metric of machine, container, process and runtime, in the order of the table in metrics.md. */
export const HOST_METRICS: readonly MetricDefinition[] = [...MACHINE_METRICS, ...PROCESS_METRICS];
