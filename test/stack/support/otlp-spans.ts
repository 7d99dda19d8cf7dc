import { randomBytes } from 'node:crypto';

/** What is sent beside the names. */
export interface SpanOptions {
  /** How many, all of one trace. @defaultValue 1 */
  readonly count?: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** What became of it. */
export interface SentSpans {
  readonly traceId: string;
  /** The status that the receiver answered with. */
  readonly status: number;
}

/** Sends spans of one trace in one request, whatever the answer. @param otlp address for OTLP over HTTP */
export async function postSpans(
  otlp: string,
  service: string,
  name: string,
  { count = 1, attributes = {} }: SpanOptions = {},
): Promise<SentSpans> {
  const traceId = randomBytes(16).toString('hex');
  const now = BigInt(Date.now()) * 1_000_000n;
  const spans = Array.from({ length: count }, () => ({
    traceId,
    spanId: randomBytes(8).toString('hex'),
    name,
    kind: 1,
    startTimeUnixNano: String(now - 1_000_000n),
    endTimeUnixNano: String(now),
    attributes: Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } })),
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  const response = await fetch(`${otlp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }),
  });
  await response.arrayBuffer();
  return { traceId, status: response.status };
}

/** Sends spans that the receiver has to take. @returns the id of their trace */
export async function sendSpans(
  otlp: string,
  service: string,
  name: string,
  options?: SpanOptions,
): Promise<string> {
  const { traceId, status } = await postSpans(otlp, service, name, options);
  if (status !== 200) throw new Error(`The receiver answered ${status}.`);
  return traceId;
}
