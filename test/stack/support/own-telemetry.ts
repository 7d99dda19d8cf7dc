import { startTelemetry, type Telemetry } from '../../../src/telemetry/index.ts';
import { TIMING_ENV } from './timing-overlay.ts';

/** The telemetry of a service that is the test itself: OTLP and the journal, with the overlay's short intervals, and nothing else. */
export function ownTelemetry(
  serviceName: string,
  home: string,
  endpoint: string,
  options: { readonly writeWarning?: () => void } = {},
): Telemetry {
  return startTelemetry({
    serviceName,
    home,
    otlp: { endpoint },
    prometheus: false,
    hostInterval: false,
    logger: { console: false, files: false },
    env: TIMING_ENV,
    ...options,
  });
}
