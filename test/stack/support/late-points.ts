import type { Stack } from './stack.ts';

const HOURS_LATE = 2;

/** Sends a metric point that is older than Prometheus' out-of-order window, as a backlog does after a long outage. */
export async function sendLate(stack: Stack): Promise<void> {
  const at = String((Date.now() - HOURS_LATE * 3_600_000) * 1_000_000);
  const point = { asInt: '1', startTimeUnixNano: at, timeUnixNano: at };
  const metric = {
    name: 'late.points',
    unit: '{point}',
    sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [point] },
  };
  const body = {
    resourceMetrics: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'late' } }] },
        scopeMetrics: [{ scope: { name: 'late' }, metrics: [metric] }],
      },
    ],
  };
  const response = await fetch(`${stack.otlp}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`Expected the Collector to take a late point, got ${response.status}.`);
}
