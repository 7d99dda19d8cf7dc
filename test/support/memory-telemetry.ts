import type { Attributes } from '@opentelemetry/api';
import type { Sampler } from '@opentelemetry/sdk-trace';
import { valueOf as valueOfPoint } from '../../src/testing/expected-call.ts';
import type { Point, RecordedTelemetry } from '../../src/testing/index.ts';
import { buildRecorder } from '../../src/testing/telemetry-recorder.ts';

export { installContextManager } from '../../src/testing/telemetry-recorder.ts';

/** A whole SDK that keeps everything in memory. */
export type MemoryTelemetry = RecordedTelemetry;

/** `recordTelemetry` of the test kit, at once. */
export function memoryTelemetry(sampler?: Sampler): MemoryTelemetry {
  return buildRecorder(sampler ? { sampler } : {});
}

/** The value of the one point with these attributes. */
export function valueOf(points: readonly Point[], attributes: Attributes): unknown {
  return valueOfPoint(points, attributes);
}
