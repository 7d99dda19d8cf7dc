import type { RecordedTelemetry, RecordOptions } from './recorded-telemetry.ts';

/** Records telemetry in memory, with assertions for any test runner. The SDK is loaded at the first call. */
export async function recordTelemetry(options: RecordOptions = {}): Promise<RecordedTelemetry> {
  const { buildRecorder } = await import('./telemetry-recorder.ts');
  return buildRecorder(options);
}
