/** The signals of OpenTelemetry that Keelson exports. */
export const SIGNALS = ['traces', 'metrics', 'logs'] as const;

/** A signal of OpenTelemetry. */
export type Signal = (typeof SIGNALS)[number];
