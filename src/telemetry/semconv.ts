/** The signals of OpenTelemetry that Keelson exports. */
export const SIGNALS = ['traces', 'metrics', 'logs'] as const;

/** A signal of OpenTelemetry. */
export type Signal = (typeof SIGNALS)[number];

/** The instrumentation scope of the host gauges. */
export const HOST_SCOPE_NAME = 'keelson.host';

export const ATTR_EXCEPTION_STACKTRACE = 'exception.stacktrace';

/** The event of an exception that nobody caught, as the semantic conventions for exceptions in logs name it. */
export const EVENT_EXCEPTION = 'exception';

/** The instrumentation scope of what happens to the process. */
export const PROCESS_SCOPE_NAME = 'keelson.process';

/** The instrumentation scope of what the logger writes. */
export const LOG_SCOPE_NAME = 'keelson.logger';
