import { randomBytes } from 'node:crypto';

/**
 * Sends one span to the Collector.
 *
 * @param otlp address for OTLP over HTTP
 * @returns the id of its trace
 */
export async function sendSpan(otlp: string, service: string, name: string): Promise<string> {
  const traceId = randomBytes(16).toString('hex');
  const now = BigInt(Date.now()) * 1_000_000n;
  const response = await fetch(`${otlp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
          scopeSpans: [
            {
              spans: [
                {
                  traceId,
                  spanId: randomBytes(8).toString('hex'),
                  name,
                  kind: 1,
                  startTimeUnixNano: String(now - 1_000_000n),
                  endTimeUnixNano: String(now),
                },
              ],
            },
          ],
        },
      ],
    }),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`The Collector answered ${response.status}.`);
  return traceId;
}
