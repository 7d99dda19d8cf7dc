import type { Random } from '../../core/random.ts';
import { requestOf } from '../../telemetry/otlp/index.ts';
import type { JsonObject } from '../../telemetry/otlp/index.ts';
import type { Signal } from '../../telemetry/semconv.ts';
import { DOCTOR_EVENT, DOCTOR_METRIC, DOCTOR_SCOPE, DOCTOR_SERVICE, DOCTOR_SPAN } from './semconv.ts';

/** What one run of the doctor sends, and looks for in the backends. */
export interface Probe {
  /** 32 hex digits. */
  readonly traceId: string;
  /** Seconds since 1970, with milliseconds: the value of the metric. */
  readonly seconds: number;
  /** A request of OTLP JSON for each signal. */
  readonly requests: Readonly<Record<Signal, Uint8Array>>;
}

const SPAN_MS = 1;

/** Makes the telemetry of one run. @param epochMs now, in milliseconds since 1970 */
export function makeProbe(epochMs: number, random: Random): Probe {
  const traceId = hex(32, random);
  const spanId = hex(16, random);
  const nano = (ms: number): string => `${Math.trunc(ms)}000000`;
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: DOCTOR_SERVICE } }] };
  const scope = { name: DOCTOR_SCOPE };
  const seconds = Math.trunc(epochMs) / 1_000;
  const span = {
    traceId,
    spanId,
    name: DOCTOR_SPAN,
    kind: 1,
    startTimeUnixNano: nano(epochMs - SPAN_MS),
    endTimeUnixNano: nano(epochMs),
    // Sampled.
    flags: 1,
    status: {},
  };
  const point = { timeUnixNano: nano(epochMs), asDouble: seconds };
  const metric = {
    name: DOCTOR_METRIC,
    unit: 's',
    description: 'When keelson doctor last ran.',
    gauge: { dataPoints: [point] },
  };
  const record = {
    timeUnixNano: nano(epochMs),
    observedTimeUnixNano: nano(epochMs),
    severityNumber: 9,
    severityText: 'INFO',
    eventName: DOCTOR_EVENT,
    body: { stringValue: 'keelson doctor looks whether logs arrive' },
    traceId,
    spanId,
  };
  const request = (signal: Signal, item: JsonObject): Uint8Array =>
    Buffer.from(JSON.stringify(requestOf(signal, resource, scope, [item])));
  return {
    traceId,
    seconds,
    requests: {
      traces: request('traces', span),
      metrics: request('metrics', metric),
      logs: request('logs', record),
    },
  };
}

function hex(digits: number, random: Random): string {
  const text = Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  // All zero means "no id" in OTLP.
  return /^0+$/.test(text) ? hex(digits, random) : text;
}
