import { randomBytes } from 'node:crypto';
import { until } from './poll.ts';

/** As many spans as the SDKs put into a request. */
const REQUEST = 512;
/** What a span has beside its filler, in protobuf. */
const BARE_SPAN_BYTES = 110;
const TAKEN_MS = 30_000;

/** Sends a request until the receiver takes it: a service does so when it is told to come again, too. */
async function send(otlp: string, signal: 'traces' | 'metrics' | 'logs', body: object): Promise<void> {
  const text = JSON.stringify(body);
  await until(
    `a receiver that takes ${signal}`,
    async () => {
      const response = await fetch(`${otlp}/v1/${signal}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: text,
      });
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`The receiver answered ${response.status}.`);
      return true;
    },
    TAKEN_MS,
  );
}

const resource = (service: string): object => ({
  attributes: [{ key: 'service.name', value: { stringValue: service } }],
});

const filler = (bytes: number): object => ({
  key: 'filler',
  value: { stringValue: 'x'.repeat(Math.max(0, bytes)) },
});

/**
 * Sends spans of one trace in one request.
 *
 * @param bytes the size of each, one after the other
 * @returns the id of their trace
 */
export async function sendSpansOf(otlp: string, service: string, bytes: readonly number[]): Promise<string> {
  const traceId = randomBytes(16).toString('hex');
  const now = BigInt(Date.now()) * 1_000_000n;
  const spans = bytes.map((size) => ({
    traceId,
    spanId: randomBytes(8).toString('hex'),
    name: 'sized',
    kind: 1,
    startTimeUnixNano: String(now - 1_000_000n),
    endTimeUnixNano: String(now),
    attributes: [filler(size - BARE_SPAN_BYTES)],
  }));
  await send(otlp, 'traces', { resourceSpans: [{ resource: resource(service), scopeSpans: [{ spans }] }] });
  return traceId;
}

/**
 * Sends spans of one size, in requests of 512.
 *
 * @returns how many spans each trace has, by its id
 */
export async function sendSizedSpans(
  otlp: string,
  service: string,
  { bytes, count }: { readonly bytes: number; readonly count: number },
): Promise<ReadonlyMap<string, number>> {
  const sent = new Map<string, number>();
  for (let made = 0; made < count; made += REQUEST) {
    const sizes = Array.from({ length: Math.min(REQUEST, count - made) }, () => bytes);
    sent.set(await sendSpansOf(otlp, service, sizes), sizes.length);
  }
  return sent;
}

/** Sends points of the gauge `sized.point` with an attribute of a size each, in one request. */
export async function sendSizedPoints(
  otlp: string,
  service: string,
  { bytes, count }: { readonly bytes: number; readonly count: number },
): Promise<void> {
  const timeUnixNano = String(Date.now() * 1_000_000);
  const dataPoints = Array.from({ length: count }, (_, index) => ({
    asInt: '1',
    timeUnixNano,
    attributes: [filler(bytes), { key: 'number', value: { intValue: String(index) } }],
  }));
  const metrics = [{ name: 'sized.point', unit: '{point}', gauge: { dataPoints } }];
  await send(otlp, 'metrics', {
    resourceMetrics: [{ resource: resource(service), scopeMetrics: [{ metrics }] }],
  });
}

/** Sends log records in one request, the texts as they are. */
export async function sendRecords(otlp: string, service: string, texts: readonly string[]): Promise<void> {
  const timeUnixNano = String(Date.now() * 1_000_000);
  const logRecords = texts.map((stringValue) => ({ timeUnixNano, severityNumber: 9, body: { stringValue } }));
  await send(otlp, 'logs', {
    resourceLogs: [{ resource: resource(service), scopeLogs: [{ logRecords }] }],
  });
}
