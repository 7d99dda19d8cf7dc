import type { MetricDefinition } from '../signals/semconv.ts';
import { MACHINE_METRICS } from './gauges/machine-semconv.ts';
import { PROCESS_METRICS } from './gauges/process-semconv.ts';

/** The instrumentation scope of the host gauges. */
export const HOST_SCOPE_NAME = 'keelson.host';

export const ATTR_EXCEPTION_STACKTRACE = 'exception.stacktrace';

/** The event of an exception that nobody caught, as the semantic conventions for exceptions in logs name it. */
export const EVENT_EXCEPTION = 'exception';

/** The instrumentation scope of what happens to the process. */
export const PROCESS_SCOPE_NAME = 'keelson.process';

/** The instrumentation scope of what the logger writes. */
export const LOG_SCOPE_NAME = 'keelson.logger';

/** Every metric of machine, container, process and runtime, in the order of the README's table. */
export const HOST_METRICS: readonly MetricDefinition[] = [...MACHINE_METRICS, ...PROCESS_METRICS];
