const RESOURCE = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
const SCOPE = { name: 'keelson', version: '1.0.0' };
const nano = (epochMs: number): string => `${epochMs}000000`;

/** A span with what tests look at. @param id numbers the span and its trace */
export function span(id: number, epochMs: number, more: object = {}): object {
  return {
    traceId: id.toString(16).padStart(32, '0'),
    spanId: id.toString(16).padStart(16, '0'),
    name: `span ${id}`,
    kind: 1,
    startTimeUnixNano: nano(epochMs - 12),
    endTimeUnixNano: nano(epochMs),
    attributes: [],
    status: { code: 0 },
    ...more,
  };
}

/** One line of traces. */
export function traceLine(spans: readonly object[]): string {
  return JSON.stringify({ resourceSpans: [{ resource: RESOURCE, scopeSpans: [{ scope: SCOPE, spans }] }] });
}

/** One line of logs, with one record for each text. */
export function logLine(texts: readonly string[], epochMs: number): string {
  const logRecords = texts.map((text) => ({
    timeUnixNano: nano(epochMs),
    observedTimeUnixNano: nano(epochMs),
    severityNumber: 9,
    severityText: 'INFO',
    body: { stringValue: text },
    attributes: [],
  }));
  return JSON.stringify({
    resourceLogs: [{ resource: RESOURCE, scopeLogs: [{ scope: SCOPE, logRecords }] }],
  });
}

/** One line of metrics: a counter with one point for each value. */
export function metricLine(values: readonly number[], epochMs: number, name = 'shop.orders'): string {
  const dataPoints = values.map((asInt, index) => ({
    attributes: [{ key: 'kind', value: { stringValue: String(index) } }],
    startTimeUnixNano: nano(epochMs - 60_000),
    timeUnixNano: nano(epochMs),
    asInt,
  }));
  const metric = {
    name,
    description: '',
    unit: '{order}',
    sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints },
  };
  return JSON.stringify({
    resourceMetrics: [{ resource: RESOURCE, scopeMetrics: [{ scope: SCOPE, metrics: [metric] }] }],
  });
}
