import type { Stack } from './stack.ts';

const HOURS_LATE = 2;

/** A metric point. */
export interface Point {
  /** How far from now it is; what is ahead is positive. @defaultValue 0 */
  readonly hours?: number;
  /** Whether it counts since the one before, not since the start. @defaultValue false */
  readonly delta?: boolean;
}

/**
 * Sends metric points to the Collector in one request, all of one service and each of a metric of its own: `point.0`, `point.1`, ...
 *
 * @param service `service.name`
 * @param points where they differ from a cumulative sum of now
 */
export async function sendPoints(stack: Stack, service: string, ...points: readonly Point[]): Promise<void> {
  const metrics = points.map(({ hours = 0, delta = false }, index) => {
    const at = String((Date.now() + hours * 3_600_000) * 1_000_000);
    const point = { asInt: '1', startTimeUnixNano: at, timeUnixNano: at };
    const sum = { aggregationTemporality: delta ? 1 : 2, isMonotonic: true, dataPoints: [point] };
    return { name: `point.${index}`, unit: '{point}', sum };
  });
  const body = {
    resourceMetrics: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
        scopeMetrics: [{ scope: { name: 'points' }, metrics }],
      },
    ],
  };
  const response = await fetch(`${stack.otlp}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`Expected the Collector to take points, got ${response.status}.`);
}

/** Sends a metric point that is older than Prometheus' out-of-order window, as a backlog does after a long outage. */
export async function sendLate(stack: Stack): Promise<void> {
  await sendPoints(stack, 'late', { hours: -HOURS_LATE });
}
